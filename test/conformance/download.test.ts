import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { download } from '../../conformance/engines/download.ts';

const BODY = Buffer.alloc(200_000, 'a lake ');
const sha256 = createHash('sha256').update(BODY).digest('hex');
const folder = mkdtempSync(join(tmpdir(), 'paula-download-'));
const file = join(folder, 'engine.tar.gz');

let server: Server;
let url: string;
/** What the server was asked for, and how it behaves. */
let ranges: (string | undefined)[] = [];
let takesRanges = true;
/** Answers that break off after this many bytes. */
let breaksAt: number[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const from = takesRanges && range ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0;
    const body = BODY.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length });
    const end = breaksAt.shift();
    if (end === undefined) response.end(body);
    else response.write(body.subarray(0, end), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine.tar.gz`;
});

beforeEach(() => {
  ranges = [];
  takesRanges = true;
  breaksAt = [];
  for (const path of [file, `${file}.part`]) rmSync(path, { force: true });
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const fetched = (over: { sha256?: string } = {}) => download({ url, file, bytes: BODY.length, sha256, ...over }, 1);

describe('download', () => {
  it('fetches a file whole', async () => {
    await fetched();
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('goes on where an earlier run stopped', async () => {
    writeFileSync(`${file}.part`, BODY.subarray(0, 70_000));
    await fetched();
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(ranges).toEqual(['bytes=70000-']);
  });

  it('takes a connection that breaks off up again', async () => {
    breaksAt = [50_000];
    await fetched();
    expect(readFileSync(file).equals(BODY)).toBe(true);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('begins anew where the server knows no ranges', async () => {
    takesRanges = false;
    writeFileSync(`${file}.part`, BODY.subarray(0, 70_000));
    await fetched();
    expect(readFileSync(file).equals(BODY)).toBe(true);
  });

  it('throws a file away whose checksum is wrong', async () => {
    await expect(fetched({ sha256: '0'.repeat(64) })).rejects.toThrow(`its SHA-256 is ${sha256} and has to be 0000`);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('keeps what has come when it gives up', async () => {
    breaksAt = [10_000, 0, 0, 0, 0];
    await expect(fetched()).rejects.toThrow('10000 of 200000 bytes are kept');
    expect(readFileSync(`${file}.part`)).toHaveLength(10_000);
  });
});
