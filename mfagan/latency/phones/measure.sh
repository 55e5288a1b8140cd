#!/bin/sh
# Measures the files of this folder on the device that runs it, with TensorFlow Lite's benchmark_model, and leaves what the
# tool prints in results/. It needs a POSIX shell. `mfagan lut import` makes a latency table of the folder.
#
#   sh measure.sh BENCHMARK_MODEL [--FLAG=VALUE]...     such as: sh measure.sh ./benchmark_model --num_threads=2
#
# The flags go to the tool. Every round measures all files, in changing order. If it is interrupted, the same command
# measures what is missing.
set -u
kit=@KIT@

if [ $# -lt 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
    echo "usage: sh measure.sh BENCHMARK_MODEL [--FLAG=VALUE]..." >&2
    exit 2
fi
case $1 in
    /*) tool=$1 ;;
    */*) tool=$PWD/$1 ;;
    *) tool=$1 ;;
esac
shift
if ! command -v "$tool" >/dev/null 2>&1; then
    echo "measure.sh: $tool cannot be run: give the path of benchmark_model, and make it executable (chmod +x)" >&2
    exit 2
fi
cd "$(dirname "$0")" || exit 2

if command -v getprop >/dev/null 2>&1; then
    device="$(getprop ro.product.manufacturer) $(getprop ro.product.model), $(getprop ro.board.platform)"
    system="Android $(getprop ro.build.version.release)"
else
    device="$(uname -n), $(uname -m)"
    system="$(uname -s) $(uname -r)"
    if [ -r /proc/device-tree/model ]; then
        device="$(tr -d '\000' </proc/device-tree/model), $(uname -m)"
    fi
fi
run="kit=$kit
device=$device
system=$system
flags=$*"
if [ -e results/run.txt ] && [ "$(cat results/run.txt)" != "$run" ]; then
    echo "measure.sh: results/ has times of another kit, device or other flags: move it away, or give the same flags" >&2
    exit 2
fi
mkdir -p results || exit 2
printf '%s\n' "$run" >results/run.txt
if command -v sha256sum >/dev/null 2>&1; then
    sha256sum -- *.tflite >results/sha256.txt
fi

total=$(wc -l <order.txt)
done=0
while read -r round name; do
    done=$((done + 1))
    out=results/$round/$name.txt
    [ -e "$out" ] && continue
    if [ ! -d "results/$round" ]; then
        mkdir "results/$round" || exit 2
    fi
    if [ ! -e "results/$round/thermalservice.dump" ] && command -v dumpsys >/dev/null 2>&1; then
        dumpsys thermalservice >"results/$round/thermalservice.dump" 2>&1 </dev/null
    fi
    if ! "$tool" --graph="$name.tflite" @FLAGS@ "$@" \
        >"$out.part" 2>&1 </dev/null; then
        tail -n 3 "$out.part" >&2
        echo "measure.sh: benchmark_model failed on $name.tflite" >&2
        exit 1
    fi
    mv "$out.part" "$out"
    echo "$done of $((total)) $name"
done <order.txt
