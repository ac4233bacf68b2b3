# For scripts that install what they need: read by `source`, it does nothing by itself.

log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { log "$@"; exit 3; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release; }
apt_updated=
install_packages() {
    can_install || die "$1 is missing; install it (on Debian or Ubuntu: sudo apt-get install $*) and run scripts/${0##*/} again"
    if [ -z "$apt_updated" ]; then apt-get -qq update >&2 || true; apt_updated=1; fi
    log "installing $*"
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1 ||
        DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@" </dev/null >&2 ||
        die "apt-get could not install $*"
}
