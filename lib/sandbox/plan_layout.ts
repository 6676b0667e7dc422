/**
 * What a plan looks like in memory: the meeting point of `program.ts`, which writes it, and of the machines, which
 * run it.
 *
 *     PLAN_ADDRESS       address of the first record
 *     + FAILURE_OFFSET   where the machine notes {errno: u32, record: u32} before it writes it to fd 4
 *     + ZERO_OFFSET      a word that stays zero
 *     + DATA_OFFSET      what records point to, then the records, each ten words of 64 bits
 *
 * A record is a system call, or one of two pseudo records that are known by an impossible number. Offsets of
 * jumps are in bytes and count from the record itself, so that a record may also go back to itself.
 *
 * | word | a system call                                              | `BRANCH`           | `STORE`               |
 * | ---- | ---------------------------------------------------------- | ------------------ | --------------------- |
 * | 0    | its number                                                 | -1                 | -2                    |
 * | 1-6  | its arguments                                              | 1: address of u32  | 1: address of a word  |
 * |      |                                                            | 2: equal to this?  | 2: times this         |
 * | 7    | address for the result (-errno too), or 0                  |                    | address for it        |
 * | 8    | after an error: jump by this, or `FAIL`                    |                    |                       |
 * | 9    | after zero: jump by this (one record on, if nothing else)  | then jump by this  |                       |
 */
export const PLAN_ADDRESS = 0x2000_0000;

/** The machine maps this much, whatever the plan's size: pages that nobody touches cost nothing. */
export const PLAN_LIMIT = 16 * 1024 * 1024;

export const FAILURE_OFFSET = 8;
export const ZERO_OFFSET = 16;
export const DATA_OFFSET = 24;

export const RECORD_BYTES = 80;
export const BRANCH = -1;
export const STORE = -2;

/** No jump can have this offset: it is odd. */
export const FAIL = 1;

/** The child's descriptors that the machine knows by number. */
export const PLAN_FD = 3;
export const STATUS_FD = 4;

/** The helper ends with this when a record failed, after a word about it on `STATUS_FD`. */
export const SETUP_FAILED_EXIT = 125;
