#!/usr/bin/env bash
# Builds the Dockerfile and starts what it built, without a Docker engine and without pulling base images:
# buildah in chroot isolation, over stand-ins made of Debian trixie and this machine's own .NET folder.
# Needs root and the Debian packages buildah and debootstrap. Prints "image works" or fails.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in buildah debootstrap dotnet; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }

work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
store=(--root "$work/storage" --runroot "$work/run")
trap 'buildah "${store[@]}" rm --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
debootstrap --variant=minbase --include=libstdc++6,libicu76,ca-certificates,curl trixie "$work/rootfs" >/dev/null
mkdir -p "$work/rootfs/usr/share" && cp -r "$dotnet_root" "$work/rootfs/usr/share/dotnet"
ln -s /usr/share/dotnet/dotnet "$work/rootfs/usr/bin/dotnet"
base=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" copy -q "$base" "$work/rootfs" / >/dev/null
buildah "${store[@]}" commit -q "$base" localhost/dotnet-stand-in >/dev/null
rm -rf "$work/rootfs"

packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
buildah "${store[@]}" build --pull=never --build-arg SDK_IMAGE=localhost/dotnet-stand-in --build-arg RUNTIME_IMAGE=localhost/dotnet-stand-in \
  --volume "$packages:/root/.nuget/packages:rw" -t localhost/tooln1 .

container=$(buildah "${store[@]}" from --pull=never localhost/tooln1)
# Loopback: chroot isolation shares the host's network, and without keys nothing else may be bound.
buildah "${store[@]}" run --user 1654 -e ASPNETCORE_URLS=http://127.0.0.1:18080 "$container" -- \
  sh -c 'dotnet ToolN1.Api.dll & pid=$!
         for i in $(seq 60); do curl -fsS http://127.0.0.1:18080/health/ready >/dev/null 2>&1 && break; sleep 1; done
         curl -fsS http://127.0.0.1:18080/v1/models; status=$?; kill $pid; wait $pid; exit $status'
echo; echo "image works"
