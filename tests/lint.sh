#!/bin/sh
# Runs third-party checkers on scripts, manual pages, alert rules and the package.
#
#   tests/lint.sh target/debian/litegate_….deb
set -eu
cd "$(dirname "$0")/.."

package=$1

echo "lint: shellcheck"
shellcheck tests/*.sh systemd/debian/build.sh systemd/debian/postinst systemd/debian/prerm \
  systemd/debian/postrm

echo "lint: mandoc"
mandoc -T lint -W error target/package/man/*.1

echo "lint: promtool"
promtool=$(sh tests/promtool.sh)
"$promtool" check rules config/prometheus-alerts.yml
"$promtool" test rules tests/alerts.yml

echo "lint: lintian"
lintian --allow-root --fail-on error "$package"
