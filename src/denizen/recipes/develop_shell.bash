# The shell of `denizen develop`, and of `denizen build --shell`: the generic builder's functions and
# variables, with a linker whose output runs outside of the environment too.
#
# developDirectory   a directory for the linker's wrapper
# developPhase       the phase before which the shell begins; the phases ahead of it are run
# developCommand     "1": the arguments are a command to execute instead of an interactive shell
denizenShell=1
source "$genericBuilder"
set +e +u
set +o pipefail
shopt -u nullglob
export HOME=$developHome

# gcc looks for its linker in COMPILER_PATH first, and so does all that links by it (rustc, cgo, distutils).
# Where no -rpath is given, ld gets the run path that the builder's has, so that what opens a library by name
# runs in the check phase; a shell without phases has no output. No variable is left for other programs.
run_path=$library_dirs
if [ -n "${developPhase-}" ]; then run_path=$LD_RUN_PATH; fi
unset LD_RUN_PATH
mkdir -p "$developDirectory/bin"
cat >"$developDirectory/bin/ld" <<END
#!/bin/bash
LD_RUN_PATH=\${LD_RUN_PATH-$(printf %q "$run_path")} /usr/bin/ld "\$@" || exit
output=a.out
while [ "\$#" -gt 0 ]; do
    case \$1 in
        -o) output=\$2; shift ;;
        --output=*) output=\${1#--output=} ;;
        -o*) output=\${1#-o} ;;
    esac
    shift
done
exec python3 -E -S -B -c 'import sys; sys.path.insert(0, sys.argv[1])
from denizen.recipes.fixup import link_output
link_output(sys.argv[2])' "$fixupLibrary" "\$output"
END
chmod +x "$developDirectory/bin/ld"
export COMPILER_PATH=$developDirectory/bin${COMPILER_PATH:+:$COMPILER_PATH}
export recipeInputs __denizenRoot out

# What `denizen develop --print-env` prints: the variables that compilers look for libraries and linkers by.
print_variables() {
    local name
    for name in CPATH LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH COMPILER_PATH recipeInputs __denizenRoot \
        out fixupLibrary "$@"; do
        if [ -n "${!name-}" ]; then printf 'export %s=%q\n' "$name" "${!name}"; fi
    done
}

# run_phase NAME, as the builder has it: the first command that fails ends the phase, and its status is the
# phase's. `set -e` would end the shell; the trap returns from function after function instead. A subshell
# goes on, for it cannot be told from a command substitution, which does in the builder, too.
eval "$(declare -f run_phase | sed '1s/run_phase/phase_commands/')"
run_phase() {
    set -E -o pipefail
    trap 'phase_failed=$?
          if [ "$BASH_SUBSHELL" -eq "$phase_level" ]; then
              if [ "$FUNCNAME" = run_phase ]; then trap - ERR; set +E +o pipefail; fi
              return "$phase_failed"
          fi' ERR
    phase_level=$BASH_SUBSHELL
    phase_commands "$1"
    trap - ERR
    set +E +o pipefail
}

if [ -n "${developPhase-}" ]; then
    # What an earlier shell left is not built upon, and not lost.
    for left in "$NIX_BUILD_TOP" "$out" "$debug"; do
        if [ -e "$left" ]; then
            rm -rf "$left.old"
            mv "$left" "$left.old"
        fi
    done
    mkdir -p "$NIX_BUILD_TOP"
    cd "$NIX_BUILD_TOP" || exit
    for phase in $phases; do
        if [ "$phase" = "$developPhase" ]; then break; fi
        if [ "$phase" = check ] && [ -z "${doCheck-}" ]; then continue; fi
        # In a shell of its own the directory and variables would be lost. Not `||`, which disarms the trap.
        run_phase "$phase"
        if [ "$?" -ne 0 ]; then
            echo "denizen: the phase $phase has failed" >&2
            break
        fi
    done
fi
if [ -n "${developCommand-}" ]; then
    "$@"
    exit
fi
PS1="(${name-denizen}) \w\\$ "
