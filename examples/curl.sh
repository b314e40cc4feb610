#!/bin/sh
# The same with curl (7.75 or newer), which signs by itself: sh examples/curl.sh
set -eu
url=${S3_URL:-http://localhost:9000}
bucket=${S3_BUCKET:-example-curl}
ask() {
    curl --silent --show-error --fail --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        --aws-sigv4 aws:amz:us-east-1:s3 -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" "$@"
}
ask --request PUT "$url/$bucket"
ask --request PUT --data-binary hello "$url/$bucket/greetings/hello.txt"
ask "$url/$bucket/greetings/hello.txt"
ask --request DELETE "$url/$bucket/greetings/hello.txt"
ask --request DELETE "$url/$bucket"
