/** A DNS server on the loopback that answers A queries from a function, so that tests can rebind names as attackers do. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';

export interface TestNameServer {
  readonly resolver: Resolver;
  /** Names asked for, in order. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** `answer` gives the addresses of a name; an empty list is NXDOMAIN. */
export async function startTestNameServer(answer: (name: string) => readonly string[]): Promise<TestNameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = readName(query);
    const isA = query.readUInt16BE(end) === 1;
    if (isA) asked.push(name);
    const addresses = isA ? answer(name) : [];
    socket.send(reply(query, end, addresses), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const resolver = new Resolver({ timeout: 15_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return { resolver, asked, stop: () => new Promise((resolve) => socket.close(() => resolve())) };
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function reply(query: Buffer, end: number, addresses: readonly string[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(addresses.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const answers = addresses.map((address) => {
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    for (const [i, part] of address.split('.').entries()) record[12 + i] = Number(part);
    return record;
  });
  return Buffer.concat([header, query.subarray(12, end + 4), ...answers]);
}
