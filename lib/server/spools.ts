/** Where the processes of a server put what memory does not hold; whoever starts one says where that is. */
export { openSpools, SPOOL_MAX_BYTES, type SpoolRoom as ServerSpools } from "../process/local/spool_room.ts";
