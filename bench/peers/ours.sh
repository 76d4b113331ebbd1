# SPDX-License-Identifier: BSD-2-Clause
# Lindung as one more row of the peers' run: copy it to a folder and run
#   LINDUNG=.../build/programs/lindung run_peers -P FOLDER LIST
# DIR, PORT, UP and PID are set by run_peers.
# shellcheck shell=bash disable=SC2034
LABEL="lindung"
: "${LINDUNG:=lindung}"

ours_compile() {
	"$LINDUNG" compile -q --category adult --format domains -o "$2" "$1"
}

# Everything that happens before the server starts.
prepare() {
	ours_compile "$1" "$DIR/list.ldx"
	cat >"$DIR/lindung.yaml" <<-C
	listen: ["127.0.0.1@$PORT"]
	threads: 1
	list:
	  image: $DIR/list.ldx
	upstream:
	  mode: forward
	  servers: ["127.0.0.1@$UP"]
	metrics:
	  listen: ""
	C
}
serve() { CMD=("$LINDUNG" serve -c "$DIR/lindung.yaml"); }
# Make the next list ready, then have the server use it.
swap() { ours_compile "$1" "$DIR/next.ldx"; }
reload() { mv "$DIR/next.ldx" "$DIR/list.ldx" && kill -HUP "$PID"; }
datafile() { echo "$DIR/list.ldx"; }
version() { "$LINDUNG" --version; }
