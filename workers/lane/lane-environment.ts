/** The environment of a lane: which GPU it sees, how many threads it may start, and how its memory is laid out. Pure. */
import { describeDevice } from './device.ts';
import type { LaneOptions } from './lane-protocol.ts';

/**
 * glibc asks for huge pages where the kernel gives them to who asks (`madvise`, as on most systems): a call reads all
 * weights, in 11,000 small pages for MiniLM. Between other processes' turns a call of a short text takes 0.93 of the time
 * (3.2 ms for 3.5), without pauses 0.98 (decision 25). Unknown to other C libraries, and then ignored.
 */
const hugePages = 'glibc.malloc.hugetlb=1';

export function laneEnvironment({ device, threads }: LaneOptions, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const tunables = own['GLIBC_TUNABLES'];
  return {
    ...own,
    // In the order of the bus, as nvidia-smi and the DCGM exporter number them: CUDA's own order puts the fastest first.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: describeDevice(device).cuda_visible_devices,
    OMP_NUM_THREADS: String(threads),
    // An operator's own come last, and win.
    GLIBC_TUNABLES: tunables ? `${hugePages}:${tunables}` : hugePages,
  };
}
