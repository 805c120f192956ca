/**
 * Preloaded (`node --import`) into the children of scripts/supervise.ts: when the parent is gone, however it went,
 * they stop as if asked to.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
