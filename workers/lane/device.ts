/** What the name of a device (`cpu`, `cuda:<index>`) means to ONNX Runtime and CUDA, in the words of metrics. */
export interface DeviceWords {
  readonly device: string;
  readonly provider: 'CPUExecutionProvider' | 'CUDAExecutionProvider';
  /** Empty hides every GPU. */
  readonly cuda_visible_devices: string;
}

export function describeDevice(device: string): DeviceWords {
  const index = /^cuda:(\d+)$/.exec(device)?.[1];
  const provider = index === undefined ? 'CPUExecutionProvider' : 'CUDAExecutionProvider';
  return { device, provider, cuda_visible_devices: index ?? '' };
}
