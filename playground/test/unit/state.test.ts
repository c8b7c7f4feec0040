import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ServerMessage } from '../../src/protocol/messages';
import { refusal } from '../../src/protocol/server';
import { IDLE, type RunEvent, advance, isActive, takesInput }
    from '../../src/run/state';
import { bytes, clock, describe, seconds } from '../../src/run/words';

function after(...events: RunEvent[]) {
    return events.reduce(advance, IDLE);
}

function message(value: unknown): RunEvent {
    return { type: 'message', message: value as ServerMessage, at: 1000 };
}

const RUN: RunEvent = { type: 'run', language: 'c' };
const STARTED = message({ type: 'started', job_id: '1', language: 'c',
    limits: { memory_bytes: 300 * 1024 * 1024, cpu_time: 7 } });

test('a run from its beginning to its end', () => {
    assert.equal(after(RUN).phase, 'connecting');
    assert.equal(after(RUN, { type: 'opened' }).phase, 'sent');
    const queued = after(RUN, { type: 'opened' },
        message({ type: 'queued', job_id: '1', position: 3, wait: 2 }));
    assert.equal(describe(queued, 0).title, 'Queued at position 3');
    const compiling = after(RUN, STARTED,
        message({ type: 'stage', stage: 'compile' }));
    assert.equal(compiling.phase, 'compiling');
    const running = advance(compiling,
        message({ type: 'stage', stage: 'run' }));
    assert.ok(takesInput(running) && isActive(running));
    assert.equal(describe(running, 4200).detail, '3.2 s');
    const done = advance(running, message({ type: 'complete', status: 'ok',
        exit_code: 0, wall_time: 0.05, cpu_time: 0.031,
        memory_peak: 3 * 1024 * 1024 }));
    assert.equal(describe(done, 0).title, 'Finished');
    assert.equal(describe(done, 0).detail,
        'exit 0 · 0.05 s · CPU 0.03 s · 3 MB');
});

test('why it ended, in plain words', () => {
    const ended = (more: object) => describe(after(RUN, STARTED,
        message({ type: 'complete', exit_code: -9, wall_time: 1, cpu_time: 1,
            memory_peak: null, ...more })), 0).title;
    assert.equal(ended({ status: 'memory_limit' }),
        'Stopped: used more than 300 MB of memory');
    assert.equal(ended({ status: 'cpu_limit' }),
        'Stopped: used more than 7 s of CPU time');
    assert.equal(ended({ status: 'error', exit_code: 3 }),
        'Ended with exit code 3');
    assert.match(ended({ status: 'signaled', signal: 'SIGSEGV' }),
        /memory that is not its own/);
    assert.equal(ended({ status: 'stopped' }), 'Stopped');
});

test('a lost connection and its two ends', () => {
    const dropped = after(RUN, STARTED, { type: 'dropped' });
    assert.equal(dropped.phase, 'reconnecting');
    assert.equal(describe(dropped, 0).title, 'Connection lost');
    assert.equal(advance(dropped, { type: 'lost' }).phase, 'lost');
    const resumed = after({ type: 'resume', language: 'c', since: 5 },
        STARTED);
    assert.equal(resumed.phase, 'running');
    assert.equal(resumed.since, 5);
});

test('a refusal says what to do', () => {
    const said = (status: number, body: object, retry: string | null) =>
        describe(after(RUN, { type: 'refused',
            refusal: refusal(status, body, retry) }), 0);
    assert.equal(said(401, {}, null).remedy, 'key');
    assert.match(said(429, {}, '7').detail, /again in 7 s/);
    assert.match(said(503, { code: 'busy' }, null).title, /busy/);
    assert.match(said(403, {}, null).detail, /origin/);
    assert.equal(said(400, {}, null).remedy, 'retry');
});

test('nothing happens to a run that is over', () => {
    const over = after(RUN, message({ type: 'error', code: 'busy',
        message: 'full' }));
    assert.equal(over.phase, 'failed');
    assert.equal(advance(over, STARTED), over);
    assert.equal(advance(over, { type: 'dropped' }), over);
});

test('amounts as people write them', () => {
    assert.deepEqual([0.05, 3.14159, 12.34, 7, 200].map(seconds),
        ['0.05 s', '3.1 s', '12.3 s', '7 s', '3 min 20 s']);
    assert.deepEqual([17, 4096, 12.34 * 1024 * 1024].map(bytes),
        ['17 bytes', '4 KB', '12.3 MB']);
    assert.deepEqual([3210, 65000].map(clock), ['3.2 s', '1:05']);
});
