/** How a file is cut into parts (S3 User Guide, "Amazon S3 multipart upload limits"). */

const MIB = 1024 * 1024;

/** Files up to this size, in bytes, go in one request. */
export const SMALL = 16 * MIB;

/** The size of parts in bytes: a file of any size has at most 10,000. */
export function partSize(size: number): number {
  return Math.max(SMALL, Math.ceil(size / 10_000 / MIB) * MIB);
}

/** The size of one part, counted from 1, of a file of `all` bytes. */
export function sizeOf(number: number, size: number, all: number): number {
  return Math.min(size, all - (number - 1) * size);
}
