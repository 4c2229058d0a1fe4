# The head of the scripts that install what tests need, sourced with their arguments: one folder. Ends the script where all of it is
# there already. `$why_root` says why root is needed.
#
#   $folder      where things go; FOLDER/installed holds the version of the script and of this head, once all of it is there
#   fail WORDS   says why not, and ends
#   done_here    notes that all of it is there
#
# A second run is quick, and two runs at the same time wait for each other.
[ $# -eq 1 ] || { echo "usage: install.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
version=$(cat "$here/install.sh" "$here/../common/install.sh" | sha256sum | cut -c1-16)
is_done() { [ "$(cat "$folder/installed" 2>/dev/null)" = "$version" ]; }
is_done && exit 0

exec 9>"$folder/lock"
flock 9
is_done && exit 0 # another run did it while this one waited

fail() { echo "install.sh: $*" >&2; exit 1; }
done_here() { echo "$version" >"$folder/installed.new" && mv "$folder/installed.new" "$folder/installed"; }
[ "$(id -u)" -eq 0 ] || fail "needs root: $why_root"
command -v apt-get >/dev/null || fail "needs Debian (apt-get is not there)"
export DEBIAN_FRONTEND=noninteractive

apt-get update -qq
