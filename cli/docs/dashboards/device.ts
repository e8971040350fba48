/** One device: its lanes beside what DCGM says of the GPU below them. Only names that the exporter has by default. */
import type { DashboardWish } from './dashboard.ts';
import { perSecond } from './queries.ts';

const of = '{instance=~"$worker"}';
const gpu = '{gpu=~"$gpu"}';

export const device: DashboardWish = {
  name: 'device',
  title: 'one device',
  about: 'Lanes of a worker, beside its GPU: a busy lane over an idle GPU waits for the CPU, and the other way round.',
  variables: [
    { name: 'worker', label: 'Worker', values: { metric: 'inference_lanes', label: 'instance' } },
    { name: 'gpu', label: 'GPU', values: { metric: 'DCGM_FI_DEV_GPU_UTIL', label: 'gpu' } },
  ],
  rows: [
    {
      title: 'Lanes',
      panels: [
        {
          title: 'Devices',
          about: 'What each worker runs on. cuda:N is GPU N of nvidia-smi and of DCGM on that host.',
          unit: 'none',
          kind: 'table',
          width: 24,
          queries: [{ expr: `inference_device_info${of}`, legend: '' }],
        },
        {
          title: 'Lanes busy',
          about: 'Share of time in calls, a call under way included.',
          unit: 'percentunit',
          queries: [
            {
              expr: perSecond('inference_lane_busy_seconds_total', 'instance, lane', of),
              legend: '{{instance}} {{lane}}',
            },
          ],
        },
        {
          title: 'Lanes alive',
          about: 'Beside those that should be.',
          unit: 'none',
          queries: [
            { expr: `inference_lanes_alive${of}`, legend: 'alive {{instance}}' },
            { expr: `inference_lanes${of}`, legend: 'wanted {{instance}}' },
          ],
        },
        {
          title: 'Lanes that ended unasked',
          about: 'Per minute.',
          unit: 'short',
          queries: [
            {
              expr: `60 * ${perSecond('inference_lane_ends_total', 'instance, lane', of)}`,
              legend: '{{instance}} {{lane}}',
            },
          ],
        },
        {
          title: 'Held by the worker',
          about: 'Jobs claimed, and prepared rows that wait for a lane.',
          unit: 'short',
          queries: [
            { expr: `inference_claimed_jobs${of}`, legend: 'jobs {{instance}}' },
            { expr: `inference_waiting_rows${of}`, legend: 'rows {{instance}}' },
          ],
        },
        {
          title: 'Memory of lanes',
          about: 'Resident memory of each process.',
          unit: 'bytes',
          queries: [{ expr: `inference_lane_memory_bytes${of}`, legend: '{{instance}} {{lane}}' }],
        },
        {
          title: 'Classes',
          about: 'Whose rows the lanes ran: seconds per second.',
          unit: 's',
          isStacked: true,
          queries: [{ expr: perSecond('inference_class_seconds_total', 'class', of), legend: '{{class}}' }],
        },
      ],
    },
    {
      title: 'GPU',
      panels: [
        {
          title: 'Lanes busy beside the GPU',
          about:
            'Lane time, utilisation, and the share of time in which the graphics engine and the tensor cores worked.',
          unit: 'percentunit',
          width: 12,
          queries: [
            { expr: `worker:lane_busy:ratio_rate1m${of}`, legend: 'lanes {{instance}}' },
            { expr: `DCGM_FI_DEV_GPU_UTIL${gpu} / 100`, legend: 'GPU {{gpu}}' },
            { expr: `DCGM_FI_PROF_GR_ENGINE_ACTIVE${gpu}`, legend: 'engine {{gpu}}' },
            { expr: `DCGM_FI_PROF_PIPE_TENSOR_ACTIVE${gpu}`, legend: 'tensor cores {{gpu}}' },
          ],
        },
        {
          title: 'GPU memory',
          about: 'Used and free.',
          unit: 'mbytes',
          width: 12,
          isStacked: true,
          queries: [
            { expr: `DCGM_FI_DEV_FB_USED${gpu}`, legend: 'used {{gpu}}' },
            { expr: `DCGM_FI_DEV_FB_FREE${gpu}`, legend: 'free {{gpu}}' },
          ],
        },
        {
          title: 'Memory traffic',
          about: 'Share of time in which the memory was read or written.',
          unit: 'percentunit',
          queries: [{ expr: `DCGM_FI_PROF_DRAM_ACTIVE${gpu}`, legend: 'GPU {{gpu}}' }],
        },
        {
          title: 'PCIe',
          about: 'Bytes a second to and from the card.',
          unit: 'Bps',
          queries: [
            { expr: `DCGM_FI_PROF_PCIE_RX_BYTES${gpu}`, legend: 'in {{gpu}}' },
            { expr: `DCGM_FI_PROF_PCIE_TX_BYTES${gpu}`, legend: 'out {{gpu}}' },
          ],
        },
        {
          title: 'Clock',
          about: 'MHz. A fall under load is throttling.',
          unit: 'short',
          queries: [
            { expr: `DCGM_FI_DEV_SM_CLOCK${gpu}`, legend: 'SM {{gpu}}' },
            { expr: `DCGM_FI_DEV_MEM_CLOCK${gpu}`, legend: 'memory {{gpu}}' },
          ],
        },
        {
          title: 'Temperature',
          about: 'Of the chip and its memory.',
          unit: 'celsius',
          badFrom: 87,
          queries: [
            { expr: `DCGM_FI_DEV_GPU_TEMP${gpu}`, legend: 'GPU {{gpu}}' },
            { expr: `DCGM_FI_DEV_MEMORY_TEMP${gpu}`, legend: 'memory {{gpu}}' },
          ],
        },
        {
          title: 'Power',
          about: 'Drawn now.',
          unit: 'watt',
          queries: [{ expr: `DCGM_FI_DEV_POWER_USAGE${gpu}`, legend: 'GPU {{gpu}}' }],
        },
        {
          title: 'Faults',
          about: 'Last XID, replays on PCIe, rows that could not be remapped.',
          unit: 'none',
          badFrom: 1,
          queries: [
            { expr: `DCGM_FI_DEV_XID_ERRORS${gpu}`, legend: 'XID {{gpu}}' },
            { expr: `DCGM_FI_DEV_PCIE_REPLAY_COUNTER${gpu}`, legend: 'replays {{gpu}}' },
            { expr: `DCGM_FI_DEV_ROW_REMAP_FAILURE${gpu}`, legend: 'remap {{gpu}}' },
          ],
        },
      ],
    },
  ],
};
