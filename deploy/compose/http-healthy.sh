#!/bin/bash
# http-healthy PORT [PATH]: exit code 0 if 127.0.0.1 answers `GET PATH` (default /health) with 200 within two seconds. The health
# check of images that have no program for it; postern has its own (`postern health`). No child process: the program that is
# checked is process 1 of its container, and would have to collect it.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "${2:-/health}" >&3
read -r -t 2 -u 3 version status _ || exit 1
[[ $version == HTTP/1.1 && $status == 200 ]]
