#!/bin/sh
# Install what is missing: the packages of packages.txt and of each list that is named, the locked Python environment,
# and the package itself.
# Stamps in .venv/ keep the hash of what was installed, so that a second run costs milliseconds.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# A line of the stamp file is the content's hash: same content, nothing to do.
hash_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

install_packages() {
    missing=
    for package in $(cat packages.txt "$@"); do
        case "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" in
            *' installed') ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    say "installing OS packages:$missing"
    if [ "$(id -u)" = 0 ]; then
        root=env
    elif command -v sudo >/dev/null; then
        root='sudo env'
    else
        fail "OS packages are missing and there is no sudo: as root, run: apt-get install -y$missing"
    fi
    $root DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
        fail "apt-get update failed: check the network and /etc/apt, or install by hand:$missing"
    # shellcheck disable=SC2086  # one word for each package
    $root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 ||
        fail "apt-get could not install:$missing"
}

find_python() {
    for python in ${PYTHON:-} python3.11 /usr/bin/python3.11 python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    fail "no Python 3.11 was found: install python3.11 with its venv module, or name one with PYTHON=/path/to/python3.11"
}

make_environment() {
    wanted=$(hash_of requirements.lock)
    [ "$(cat .venv/.requirements 2>/dev/null)" != "$wanted" ] || return 0
    if ! .venv/bin/python -c '' 2>/dev/null; then
        say "creating .venv"
        "$(find_python)" -m venv --clear .venv || fail "the environment .venv could not be created"
    fi
    uv=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.txt)
    say "installing the Python packages of requirements.lock (a few minutes the first time)"
    .venv/bin/pip install --quiet "uv==$uv" || fail "uv could not be installed into .venv"
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock ||
        fail "the packages of requirements.lock could not be installed"
    printf '%s\n' "$wanted" >.venv/.requirements
}

install_package() {
    # The checkout's own path belongs to it: a moved or copied checkout is installed again.
    wanted="$PWD $(hash_of pyproject.toml requirements.lock)"
    [ "$(cat .venv/.package 2>/dev/null)" != "$wanted" ] || return 0
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable . ||
        fail "the package weahouse could not be installed into .venv"
    printf '%s\n' "$wanted" >.venv/.package
}

install_packages "$@"
make_environment
install_package
