#!/bin/sh
# The same with the AWS command line: sh examples/cli.sh
set -eu
url=${S3_URL:-http://localhost:9000}
bucket=${S3_BUCKET:-example-cli}
aws --endpoint-url "$url" s3 mb "s3://$bucket"
echo hello | aws --endpoint-url "$url" s3 cp - "s3://$bucket/greetings/hello.txt"
aws --endpoint-url "$url" s3 cp "s3://$bucket/greetings/hello.txt" -
aws --endpoint-url "$url" s3 rb --force "s3://$bucket"
