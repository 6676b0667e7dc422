/** The machines that the sandbox is built for, in the words of `process.arch`. */
export type Arch = "x64" | "arm64";

/**
 * What Linux calls each system call by number: on x64, on arm64. Only calls that both have, so that a plan can be
 * written once; those that arm64 never got (`open`, `fork`, `dup2`) have newer forms here. Those that neither
 * plans nor filters speak of are for what tests try inside.
 */
const NUMBERS = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  fcntl: [72, 25],
  ioctl: [16, 29],
  dup: [32, 23],
  lseek: [8, 62],
  pipe2: [293, 59],
  mmap: [9, 222],

  getdents64: [217, 61],
  openat: [257, 56],
  openat2: [437, 437],
  close_range: [436, 436],
  statx: [332, 291],
  mkdirat: [258, 34],
  fchownat: [260, 54],
  mknodat: [259, 33],
  symlinkat: [266, 36],
  renameat2: [316, 276],
  flock: [73, 32],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  umask: [95, 166],

  chdir: [80, 49],
  chroot: [161, 51],
  pivot_root: [155, 41],
  mount: [165, 40],
  umount2: [166, 39],
  open_tree: [428, 428],
  move_mount: [429, 429],
  mount_setattr: [442, 442],

  clone: [56, 220],
  clone3: [435, 435],
  unshare: [272, 97],
  execve: [59, 221],
  exit: [60, 93],
  exit_group: [231, 94],
  waitid: [247, 95],
  getpid: [39, 172],
  getppid: [110, 173],
  setsid: [112, 157],
  setpgid: [109, 154],
  kill: [62, 129],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pidfd_getfd: [438, 438],

  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigtimedwait: [128, 137],
  prctl: [157, 167],
  capset: [126, 91],
  seccomp: [317, 277],
  prlimit64: [302, 261],
  memfd_create: [319, 279],
  shmget: [29, 194],

  ppoll: [271, 73],
  nanosleep: [35, 101],

  socket: [41, 198],
  socketpair: [53, 199],
  bind: [49, 200],
  listen: [50, 201],
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
  getsockname: [51, 204],
  getpeername: [52, 205],
  getsockopt: [55, 209],
  setsockopt: [54, 208],
  shutdown: [48, 210],
  sendto: [44, 206],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  sendmmsg: [307, 269],
  recvmmsg: [299, 243],

  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],

  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>;

export type SyscallName = keyof typeof NUMBERS;

export function syscallNumber(name: SyscallName, arch: Arch): number {
  return NUMBERS[name][arch === "x64" ? 0 : 1];
}

export function syscallNames(): SyscallName[] {
  return Object.keys(NUMBERS) as SyscallName[];
}
