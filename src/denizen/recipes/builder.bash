# The generic builder: what each phase of a recipe does. The variable `phases` has their order (phases.py).
#
# Each phase is the shell text of the variable <phase>Phase where the recipe has it, else the function
# <kind>_<phase>, else <phase>_default. The variables pre<Phase> and post<Phase> run before and after it.
set -eu -o pipefail
shopt -s nullglob

export PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 TZ=UTC HOME=$NIX_BUILD_TOP/home
export prefix=$out SHELL=/bin/bash CONFIG_SHELL=/bin/bash
mkdir -p "$HOME"

# Other recipes' outputs: their commands, headers and libraries, found without flags.
library_dirs=
for input in ${recipeInputs-}; do
    PATH=$input/bin:$PATH
    if [ -d "$input/include" ]; then export CPATH=$input/include${CPATH:+:$CPATH}; fi
    if [ -d "$input/lib" ]; then
        export LIBRARY_PATH=$input/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
        library_dirs+=${library_dirs:+:}$input/lib
    fi
    export PKG_CONFIG_PATH=$input/lib/pkgconfig:$input/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    export CMAKE_PREFIX_PATH=$input${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
done
# ld reads this where no -rpath is given: what is built runs in the check phase already.
export LD_RUN_PATH=$out/lib${library_dirs:+:$library_dirs}

# flags NAME: the array `words` becomes the recipe's words for it.
flags() {
    words=()
    local name="${1}Flags"
    if [ -n "${!name-}" ]; then mapfile -t words <<<"${!name}"; fi
}

unpack_default() {
    local source base
    for source in ${sources-}; do
        base=${source##*/}
        base=${base#*-}
        echo "unpacking $base"
        if [ -d "$source" ]; then
            cp -r --preserve=mode,timestamps "$source" "$base"
            chmod -R u+w "$base"
        else
            case $base in
                *.tar | *.tar.* | *.tgz | *.tbz2 | *.txz | *.crate) tar -xf "$source" --no-same-owner ;;
                *.zip | *.whl) python3 -m zipfile -e "$source" . ;;
                *) cp "$source" "$base" ;;
            esac
        fi
    done
    local directories=(*/)
    directories=("${directories[@]#home/}")
    local found=()
    for source in "${directories[@]}"; do
        if [ -n "$source" ]; then found+=("${source%/}"); fi
    done
    sourceRoot=${sourceRoot-${found[0]-.}}
    cd "$sourceRoot"
    set_source_date
}

# The newest file of the sources dates what is built; a tree of the store has no dates, and gets 1980.
set_source_date() {
    local newest
    newest=$(find . -type f -printf '%T@\n' | sort -n | tail -n 1)
    newest=${newest%.*}
    export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH-${newest:-1}}
    if [ "$SOURCE_DATE_EPOCH" -lt 315532800 ]; then SOURCE_DATE_EPOCH=315532800; fi
}

patch_default() {
    local one
    for one in ${patches-}; do
        echo "applying ${one##*/}"
        patch -p1 <"$one"
    done
}

configure_default() { :; }
build_default() { :; }
check_default() { :; }
install_default() {
    echo "the recipe has no install phase, and its kind ($kind) none of its own" >&2
    return 1
}

fixup_default() {
    PYTHONPATH=$fixupLibrary PYTHONDONTWRITEBYTECODE=1 python3 -m denizen.recipes.fixup
}

has_target() {
    local status=0
    make -n "$1" >/dev/null 2>&1 || status=$?
    [ "$status" -eq 0 ]
}

make_build() {
    flags make
    make -j"$NIX_BUILD_CORES" SHELL=/bin/bash "${words[@]}"
}
make_check() {
    flags make
    local common=("${words[@]}") target
    flags check
    if [ "${#words[@]}" -gt 0 ]; then
        make -j"$NIX_BUILD_CORES" "${common[@]}" "${words[@]}"
        return
    fi
    for target in check test; do
        if has_target "$target"; then
            make -j"$NIX_BUILD_CORES" "${common[@]}" "$target"
            return
        fi
    done
    echo "there is no check to make"
}
make_install() {
    flags make
    local common=("${words[@]}")
    flags install
    if [ "${#words[@]}" -eq 0 ]; then words=(install); fi
    make "${common[@]}" prefix="$out" PREFIX="$out" "${words[@]}"
}

autotools_configure() {
    flags configure
    if [ ! -e configure ] && [ -e configure.ac ]; then autoreconf -fi; fi
    ./configure --prefix="$out" "${words[@]}"
}
autotools_build() { make_build; }
autotools_check() { make_check; }
autotools_install() { make_install; }

cmake_configure() {
    flags cmake
    cmake -S . -B build-denizen -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$out" \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_SKIP_BUILD_RPATH=OFF "${words[@]}"
}
cmake_build() {
    flags make
    cmake --build build-denizen -j "$NIX_BUILD_CORES" -- "${words[@]}"
}
cmake_check() { ctest --test-dir build-denizen --output-on-failure; }
cmake_install() { cmake --install build-denizen; }

meson_configure() {
    flags meson
    meson setup build-denizen --prefix="$out" --libdir=lib --buildtype=release --wrap-mode=nodownload "${words[@]}"
}
meson_build() { ninja -C build-denizen -j "$NIX_BUILD_CORES"; }
meson_check() { meson test -C build-denizen --print-errorlogs; }
meson_install() { meson install -C build-denizen --no-rebuild; }

python_build() { python3 -m build --wheel --no-isolation --outdir dist-denizen .; }
python_install() {
    # Not `--prefix`: Debian's Python puts "local" into that.
    python3 -m installer --destdir "$NIX_BUILD_TOP/staged" dist-denizen/*.whl
    mkdir -p "$out"
    local part
    for part in "$NIX_BUILD_TOP"/staged/usr/local "$NIX_BUILD_TOP"/staged/usr; do
        if [ -d "$part" ]; then cp -r "$part"/. "$out"; fi
    done
    rm -rf "$out/local"
    for part in "$out"/lib/python3*/dist-packages; do
        python_find "${part#"$out/"}"
    done
}

# python_find DIRECTORY: let the commands that were installed find their modules there, wherever $out is, and what
# these require in the packages. Modules that are compiled for one version of Python ask for its interpreter.
python_find() {
    local script line own=$out/$1 modules=() version=${1#lib/} one
    mapfile -t modules < <(PYTHONPATH=$fixupLibrary python3 -m denizen.recipes.wheel_dependencies "$own")
    version=${version%%/*}
    line="import os, sys; sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname("
    line+="os.path.realpath(__file__))), '$1')"
    for one in "${modules[@]}"; do line+=", '$one'"; done
    for script in "$out"/bin/*; do
        if head -n 1 "$script" | grep -aq '^#!.*python' && ! grep -aq '^from __future__' "$script"; then
            sed -i "1a $line]" "$script"
            if [ -n "$(find "$own" "${modules[@]}" -name '*.cpython-*.so' -print -quit)" ]; then
                sed -i "1s,^#!/usr/bin/python3\$,#!/usr/bin/$version," "$script"
            fi
        fi
    done
}

cargo_configure() {
    export CARGO_HOME=$HOME/.cargo
    mkdir -p "$CARGO_HOME"
    if [ -d vendor ] && ! grep -qs replace-with .cargo/config.toml; then
        printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "%s"\n' \
            "$PWD/vendor" >"$CARGO_HOME/config.toml"
    fi
    export RUSTFLAGS="--remap-path-prefix=$NIX_BUILD_TOP=/build ${RUSTFLAGS-}"
}
cargo_build() {
    flags cargo
    cargo build --release --offline -j "$NIX_BUILD_CORES" "${words[@]}"
}
cargo_check() {
    flags cargo
    cargo test --release --offline -j "$NIX_BUILD_CORES" "${words[@]}"
}
cargo_install() {
    local one
    for one in target/release/*; do
        if [ -f "$one" ] && [ -x "$one" ]; then
            case $one in
                *.so | *.a | *.rlib) install -D -t "$out/lib" "$one" ;;
                *) install -D -t "$out/bin" "$one" ;;
            esac
        fi
    done
}

# Whether anything that was built here could open libraries by name.
opens_libraries() {
    local file magic LC_ALL=C
    while IFS= read -r -d '' file; do
        magic=
        IFS= read -r -N 4 magic <"$file" || true
        if [ "$magic" = $'\x7fELF' ]; then return 0; fi
    done < <(grep -rlaZ -D skip -e dlopen -e dlmopen "$NIX_BUILD_TOP" 2>/dev/null || true)
    return 1
}

# What programs open by name while they are checked, fixup finds here: glibc's own report of it (ld.so(8)),
# in a file for each process. A process that cannot make that file, as in a root of its own, reports to its
# standard output, where a test may look: nothing is asked for where nothing opens libraries.
begin_notes() {
    if ! opens_libraries; then return; fi
    mkdir -p "$NIX_BUILD_TOP/notes"
    export LD_DEBUG=files LD_DEBUG_OUTPUT=$NIX_BUILD_TOP/notes/process
}
end_notes() {
    unset LD_DEBUG LD_DEBUG_OUTPUT
    if [ ! -d "$NIX_BUILD_TOP/notes" ]; then return; fi
    find "$NIX_BUILD_TOP/notes" -type f -exec grep -haF 'dynamically loaded by' {} + |
        sed 's/^ *[0-9]*:[[:space:]]*//' | sort -u >"$NIX_BUILD_TOP/opened" || true
    rm -rf "$NIX_BUILD_TOP/notes"
}

# run_phase NAME: what comes before it, the phase, what comes after it.
run_phase() {
    local name=$1 capital=${1^} before after own
    before=pre$capital after=post$capital own=${1}Phase
    echo "phase $name"
    if [ -n "${!before-}" ]; then eval "${!before}"; fi
    if [ "$name" = check ]; then begin_notes; fi
    if [ -n "${!own-}" ]; then
        eval "${!own}"
    elif [ "$(type -t "${kind}_$name")" = function ]; then
        "${kind}_$name"
    else
        "${name}_default"
    fi
    if [ "$name" = check ]; then end_notes; fi
    if [ -n "${!after-}" ]; then eval "${!after}"; fi
}

if [ -z "${denizenShell-}" ]; then
    for phase in $phases; do
        if [ "$phase" = check ] && [ -z "${doCheck-}" ]; then continue; fi
        run_phase "$phase"
    done
fi
