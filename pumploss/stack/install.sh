#!/bin/sh
# Makes .venv and puts the packages of requirements.txt into it; does nothing when it is current.
# Plain sh, because on a new machine there may be no usable Python to say so itself.
set -eu

oldest="3.11"
stamp=".venv/.installed"
wanted="$(cksum < requirements.txt)"

say() { printf '%s\n' "$*" >&2; }

# Two makes of one clone must not build the same environment at the same time.
if command -v flock > /dev/null 2>&1; then
    mkdir -p .pumploss
    exec 9> .pumploss/install.lock
    flock 9
fi

recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && recent .venv/bin/python; then
    exit 0
fi

find_python() {
    # 3.11 first: it is the version everything was pinned for and measured with.
    for candidate in ${PYTHON3:-} python3.11 python3.12 python3.13 python3 python3.14; do
        if recent "$candidate"; then
            seen="$candidate"
            if "$candidate" -c 'import venv, ensurepip' > /dev/null 2>&1; then
                printf '%s' "$candidate"
                return
            fi
        fi
    done
    if [ -n "${seen:-}" ]; then
        say "$seen has no module venv. On Debian or Ubuntu run: apt-get install python3-venv"
    else
        say "Pump Loss needs Python $oldest or newer, and there is none here." \
            "On Debian or Ubuntu run: apt-get install python3 python3-venv"
    fi
    return 1
}

if ! recent .venv/bin/python || ! .venv/bin/python -m pip --version > /dev/null 2>&1; then
    python="$(find_python)"
    say "Making .venv with $("$python" --version)…"
    "$python" -m venv --clear .venv
fi

say "Installing the packages of requirements.txt into .venv…"
rm -f "$stamp"
.venv/bin/python -m pip install -qq --disable-pip-version-check --requirement requirements.txt
printf '%s\n' "$wanted" > "$stamp"
