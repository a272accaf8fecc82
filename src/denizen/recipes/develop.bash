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
mkdir -p "$developDirectory/bin"
cat >"$developDirectory/bin/ld" <<END
#!/bin/bash
/usr/bin/ld "\$@" || exit
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
# The wrapper writes the run path.
unset LD_RUN_PATH

# What `denizen develop --print-env` prints: the variables that compilers look for libraries and linkers by.
print_variables() {
    local name
    for name in CPATH LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH COMPILER_PATH recipeInputs __denizenRoot \
        out fixupLibrary "$@"; do
        if [ -n "${!name-}" ]; then printf 'export %s=%q\n' "$name" "${!name}"; fi
    done
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
    for phase in unpack patch configure build check install fixup; do
        if [ "$phase" = "$developPhase" ]; then break; fi
        if [ "$phase" = check ] && [ -z "${doCheck-}" ]; then continue; fi
        # In a shell of its own the directory and variables would be lost; the first failure ends the row.
        run_phase "$phase" || break
    done
fi
if [ -n "${developCommand-}" ]; then
    "$@"
    exit
fi
PS1="(${name-denizen}) \w\\$ "
