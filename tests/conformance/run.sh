#!/usr/bin/env bash
# Runs client.py with the packages of requirements.txt, which are kept in .tools. The arguments go to client.py;
# `run.sh --help` lists them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/.tools/py-grpc
python=${PYTHON:-python3}

skip() {
    echo "skipped: conformance ($1)"
    [ "${CI:-}" != true ]
    exit
}

# Debian splits venv off into a package of its own; without it the packages go into a plain folder.
install() {
    rm -rf "$tools"
    mkdir -p "$tools"
    if "$python" -m venv "$tools/venv" >/dev/null 2>&1; then
        "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    else
        rm -rf "$tools/venv"
        "$python" -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
            --target "$tools/site" -r "$here/requirements.txt"
    fi
}

command -v "$python" >/dev/null 2>&1 || skip "$python not found"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip "$python is older than 3.10"

# The stamp comes last, so that an interrupted installation is done again.
if ! cmp -s "$here/requirements.txt" "$tools/.ready"; then
    echo "installing the Python packages of tests/conformance/requirements.txt"
    install || skip "its Python packages could not be installed"
    cp "$here/requirements.txt" "$tools/.ready"
fi

# What the client reckons by is checked itself first.
"$python" -B "$here/ledger_test.py" 2>&1 | tail -n 1 | sed 's/^/ledger_test: /'

if [ -x "$tools/venv/bin/python" ]; then
    exec "$tools/venv/bin/python" -B "$here/client.py" "$@"
fi
PYTHONPATH=$tools/site exec "$python" -B "$here/client.py" "$@"
