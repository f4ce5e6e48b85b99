#!/usr/bin/env bash
# Packages the crates that are published, and compiles and runs what their READMEs show against the packages alone: in a
# folder of their own, where no workspace lends them a version or a path.
set -euo pipefail

readonly PACKAGES=(otel-carriers otel-messaging)

target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# They depend on each other, so in one call.
cargo package "${PACKAGES[@]/#/--package=}" "$@"

for package in "${PACKAGES[@]}"; do
    version=$(cargo pkgid --package "$package" | sed 's/.*[@#]//')
    tar --extract --gzip --file "$target/package/$package-$version.crate" --directory "$work"
    mv "$work/$package-$version" "$work/$package"
done
# The one that is not in a registry yet.
cat >>"$work/otel-messaging/Cargo.toml" <<END

[patch.crates-io]
otel-carriers = { path = "$work/otel-carriers" }
END
for package in "${PACKAGES[@]}"; do
    echo "$package: what its README shows, from the package"
    (cd "$work/$package" && CARGO_TARGET_DIR=$target/package/programs cargo test --quiet --doc --all-features)
done
