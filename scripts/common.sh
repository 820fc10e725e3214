# Shared by run and test: makes the environment in .venv and builds the engine, only what is missing.
# POSIX shell; sourced with ROOT set to the repository's folder.

say() { printf '%s\n' "voxtui: $*" >&2; }

fail() { say "$@"; exit 1; }

# Install Debian packages when this user may; else return 1.
apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    say "installing $* ..."
    export DEBIAN_FRONTEND=noninteractive
    if [ -z "${APT_UPDATED:-}" ]; then apt-get update -qq >/dev/null 2>&1; APT_UPDATED=1; fi
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

# command_for DEBIAN FEDORA ARCH: what to type to install these packages here. (openSUSE's have
# Fedora's names.)
command_for() {
    if command -v apt-get >/dev/null 2>&1; then echo "sudo apt install $1"
    elif command -v dnf >/dev/null 2>&1; then echo "sudo dnf install $2"
    elif command -v zypper >/dev/null 2>&1; then echo "sudo zypper install $2"
    elif command -v pacman >/dev/null 2>&1; then echo "sudo pacman -S $3"
    else return 1
    fi
}

# fail_without WHAT DEBIAN FEDORA ARCH: what is missing, and how to get it.
fail_without() {
    if typed=$(command_for "$2" "$3" "$4"); then fail "$1 Type: $typed"; fi
    fail "$1 Install it with the packages of your system."
}

# Debian's and Ubuntu's packages of a Python that is new enough; nothing where there is none.
apt_python() {
    for version in 3.13 3.12 3.11; do
        if apt-cache show "python$version-venv" >/dev/null 2>&1; then
            echo "python$version python$version-venv"
            return 0
        fi
    done
    return 1
}

# "python3.x" of at least 3.11, the newest found.
find_python() {
    for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

need_python() {
    PYTHON=$(find_python) && return 0
    case $(uname -s) in
    Darwin) fail "Python 3.11 or newer is needed. Type: brew install python@3.12" ;;
    esac
    apt_install python3 python3-venv && PYTHON=$(find_python) && return 0
    lacks="Python 3.11 or newer is needed."
    if ! command -v apt-get >/dev/null 2>&1; then
        fail_without "$lacks" "" python3.12 python
    fi
    if packages=$(apt_python); then
        # shellcheck disable=SC2086
        apt_install $packages && PYTHON=$(find_python) && return 0
        fail "$lacks Type: sudo apt install $packages"
    fi
    fail "$lacks This system has none: get it from https://www.python.org/downloads/ or with uv" \
        "(uv python install 3.12), then start again."
}

need_compiler() {
    command -v cc >/dev/null 2>&1 && return 0
    case $(uname -s) in
    Darwin) fail "A C compiler is needed. Type: xcode-select --install" ;;
    esac
    apt_install gcc libc6-dev && return 0
    fail_without "A C compiler is needed." "gcc libc6-dev" gcc gcc
}

make_venv() {
    [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c 'import pip' 2>/dev/null && return 0
    need_python
    say "making the Python environment in .venv ..."
    rm -rf "$VENV"
    if ! "$PYTHON" -m venv "$VENV" >/dev/null 2>&1; then
        rm -rf "$VENV"
        venv=$(basename "$PYTHON")-venv
        apt_install "$venv" || fail_without "Python's venv is missing." "$venv" python3 python
        "$PYTHON" -m venv "$VENV" || fail "The Python environment could not be made in $VENV."
    fi
}

# A hash of the file that says what to install, so that a second start installs nothing.
wanted() { cksum <"$ROOT/pyproject.toml"; }

# install_python GROUP...: the package (editable, without its engine) and dependency groups.
install_python() {
    stamp="$VENV/.installed-${1:-product}"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && return 0
    groups=""
    for group in "$@"; do groups="$groups --group $ROOT/pyproject.toml:$group"; done
    say "installing Python packages (a minute, once) ..."
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check -U 'pip>=25.1' \
        'scikit-build-core>=0.10' 'cmake>=3.20' ninja >&2 ||
        fail "Packages could not be installed; see above. Is the network there?"
    # shellcheck disable=SC2086
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check --no-build-isolation \
        -C wheel.cmake=false -C editable.mode=inplace -e "$ROOT[serve]" $groups >&2 ||
        fail "Packages could not be installed; see above. Is the network there?"
    wanted >"$stamp"
}

build_engine() {
    build="$ROOT/voxtral_c/build"
    if [ ! -f "$build/build.ninja" ] || [ ! -x "$build/voxtral" ]; then
        need_compiler
        say "building the engine ..."
        "$VENV/bin/cmake" -S "$ROOT/voxtral_c" -B "$build" -G Ninja -DVOX_BUILD_TESTS=OFF \
            -DCMAKE_MAKE_PROGRAM="$VENV/bin/ninja" >"$VENV/engine-build.log" 2>&1 ||
            { cat "$VENV/engine-build.log" >&2; fail "The engine could not be configured."; }
    fi
    "$VENV/bin/ninja" -C "$build" voxtral >"$VENV/engine-build.log" 2>&1 ||
        { cat "$VENV/engine-build.log" >&2; fail "The engine could not be built."; }
}

# The microphone needs PortAudio; files do not.
offer_portaudio() {
    [ "$(uname -s)" = Linux ] || return 0
    [ -f "$VENV/.portaudio-asked" ] && return 0
    if ! ldconfig -p 2>/dev/null | grep -q libportaudio.so.2; then
        apt_install libportaudio2 ||
            say "for the microphone, type:" \
                "$(command_for libportaudio2 portaudio portaudio || echo 'the command that installs PortAudio')" \
                "(files work without it)"
    fi
    : >"$VENV/.portaudio-asked"
}
