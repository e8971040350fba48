/** A collector that takes everything and keeps nothing, in a process of its own: HTTP for Thrift and OTLP, and UDP. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const http = createServer((request, response) => void request.resume().on('end', () => response.end()));
const udp = createSocket('udp4');
udp.on('message', () => {});
await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', () => resolve()));
http.listen(0, '127.0.0.1', () => {
  process.send?.({ type: 'ready', port: (http.address() as AddressInfo).port, udpPort: udp.address().port });
});
process.on('disconnect', () => process.exit(0));
