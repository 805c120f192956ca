/**
 * Preloaded (`node --import`) into the children of scripts/process/supervise.ts: when the parent is gone, however it went,
 * they stop as if asked to. The channel itself must not keep a child alive that has finished.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
