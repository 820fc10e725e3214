#!/bin/sh
# Run each fuzz target of a build made with -DVOX_FUZZ=ON for some seconds.
#
#   CC=clang cmake -S voxtral_c -B build-fuzz -DVOX_FUZZ=ON
#   cmake --build build-fuzz --target fuzz-run
#
# or, after a build: voxtral_c/fuzz/run.sh build-fuzz [SECONDS] [TARGET ...]
#
# New inputs go to BUILD/corpus-TARGET, and the kept ones are read but never changed. An input that
# crashes is left as BUILD/crash-TARGET-*.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: run.sh BUILD [SECONDS] [TARGET ...]}" && pwd)
seconds=${2:-30}
shift $(($# > 2 ? 2 : $#))
[ $# -gt 0 ] || set -- safetensors gguf tekken params wav frames
for target in "$@"; do
    mkdir -p "$build/corpus-$target"
    echo "== $target, $seconds s"
    "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 \
        -print_final_stats=1 -artifact_prefix="$build/crash-$target-" \
        "$build/corpus-$target" "$here/corpus/$target" 2>&1 |
        grep -E '^stat::(number_of_executed|average_exec)|ERROR|SUMMARY|Test unit|cov:.*DONE' |
        tail -6
    if ls "$build/crash-$target-"* >/dev/null 2>&1; then
        echo "$target: crashed" >&2
        exit 1
    fi
done
