// What the page says about a run, in plain words.  Pure.

import type { Complete, Failure } from '../protocol/messages';
import type { Refusal } from '../protocol/server';
import { type RunState } from './state';

export type Tone = 'calm' | 'busy' | 'good' | 'bad';

/** What a person can do about it, as a button. */
export type Remedy = 'retry' | 'key' | undefined;

export interface Words {
    tone: Tone;
    title: string;
    detail: string;
    remedy?: Remedy;
}

export function describe(state: RunState, now: number): Words {
    const busy = (title: string, detail = ''): Words =>
        ({ tone: 'busy', title, detail });
    if (state.stopping) {
        return busy('Stopping…');
    }
    switch (state.phase) {
    case 'idle':
        return { tone: 'calm', title: 'Ready', detail: 'Ctrl-Enter runs' };
    case 'connecting':
        return busy('Connecting…');
    case 'sent':
        return busy('Starting…');
    case 'queued':
        return busy(`Queued at position ${state.position ?? 1}`,
            state.wait ? `about ${seconds(state.wait)}` : '');
    case 'compiling':
        return busy('Compiling…');
    case 'running':
        return busy('Running', clock(now - (state.since ?? now)));
    case 'reconnecting':
        return busy('Connection lost', 'reconnecting…');
    case 'done':
        return state.complete ? finished(state.complete, state) : lost();
    case 'failed':
        return state.refusal ? refused(state.refusal)
            : state.failure ? failed(state.failure) : lost();
    case 'lost':
        return lost();
    }
}

function lost(): Words {
    return { tone: 'bad', title: 'The connection was lost',
        detail: 'and the program ended with it', remedy: 'retry' };
}

function finished(complete: Complete, state: RunState): Words {
    const tone = complete.status === 'ok' ? 'good'
        : complete.status === 'stopped' ? 'calm' : 'bad';
    return { tone,
        title: ending(complete, state), detail: measures(complete) };
}

const SIGNALS: Record<string, string> = {
    SIGSEGV: 'it used memory that is not its own (SIGSEGV)',
    SIGABRT: 'it aborted itself (SIGABRT)',
    SIGFPE: 'an impossible calculation, such as a division by zero (SIGFPE)',
    SIGILL: 'an instruction that does not exist (SIGILL)',
    SIGINT: 'interrupted by Ctrl-C',
    SIGQUIT: 'ended by Ctrl-\\',
    SIGKILL: 'it was killed (SIGKILL)',
    SIGTERM: 'it was asked to end (SIGTERM)',
    SIGPIPE: 'it wrote to a closed pipe (SIGPIPE)',
    SIGBUS: 'it read memory that is not there (SIGBUS)',
    SIGSYS: 'it asked the system for what is not allowed here (SIGSYS)',
};

function ending(complete: Complete, state: RunState): string {
    const limits = state.limits ?? {};
    switch (complete.status) {
    case 'ok':
        return 'Finished';
    case 'error':
        return `Ended with exit code ${complete.exit_code}`;
    case 'signaled':
        return 'Ended: ' + (SIGNALS[complete.signal ?? '']
            ?? `signal ${complete.signal ?? 'unknown'}`);
    case 'cpu_limit':
        return 'Stopped: used more than '
            + `${amount(limits.cpu_time, seconds)} of CPU time`;
    case 'wall_limit':
        return 'Stopped: took longer than the time it may';
    case 'memory_limit':
        return 'Stopped: used more than '
            + `${amount(limits.memory_bytes, bytes)} of memory`;
    case 'output_limit':
        return 'Stopped: wrote more than '
            + `${amount(limits.output_bytes, bytes)} of output`;
    case 'disk_limit':
        return 'Ended while its disk was full';
    case 'stopped':
        return 'Stopped';
    default:
        return 'Ended by a fault of the server';
    }
}

function amount(value: number | undefined, as: (n: number) => string):
    string {
    return value === undefined ? 'its limit' : as(value);
}

function measures(complete: Complete): string {
    const parts = [seconds(complete.wall_time),
        `CPU ${seconds(complete.cpu_time)}`];
    if (complete.memory_peak) {
        parts.push(bytes(complete.memory_peak));
    }
    if (complete.status === 'ok') {
        parts.unshift('exit 0');
    }
    if (complete.compile?.wall_time !== undefined) {
        parts.push(complete.compile.cached ? 'compiled before'
            : `compiled in ${seconds(complete.compile.wall_time)}`);
    }
    if (complete.truncated) {
        parts.push('output cut');
    }
    return parts.join(' · ');
}

function failed(failure: Failure): Words {
    const again = failure.retry_after === undefined ? ''
        : `Try again in ${seconds(failure.retry_after)}.`;
    const bad = (title: string, detail: string, remedy?: Remedy): Words =>
        ({ tone: 'bad', title, detail, remedy });
    switch (failure.code) {
    case 'compile_error':
        return bad('It does not compile', 'the compiler says why');
    case 'compile_limit':
        return bad('The compiler took too much time or memory',
            'make the program smaller');
    case 'rejected':
        return bad('Refused before it ran',
            failure.diagnostics?.[0]?.message ?? failure.message);
    case 'code_too_large':
        return bad('The program is too large', failure.message);
    case 'unknown_language':
        return bad('The server does not run this language',
            failure.message);
    default:
        return refused({ code: failure.code, message: failure.message,
            retryAfter: failure.retry_after }, again);
    }
}

function refused(refusal: Refusal, told = ''): Words {
    const bad = (title: string, detail: string, remedy?: Remedy): Words =>
        ({ tone: 'bad', title, detail, remedy });
    const again = told || (refusal.retryAfter
        ? `Try again in ${seconds(refusal.retryAfter)}.`
        : 'Try again in a moment.');
    switch (refusal.code) {
    case 'unauthorized':
        return bad('The server wants a key', 'Enter one to go on.', 'key');
    case 'no_ticket':
        return bad('You may not run programs here',
            'Log in to this site, then try again.', 'retry');
    case 'forbidden':
        return bad('The server does not serve this page',
            'Its operator must allow this origin.');
    case 'rate_limited':
        return bad('Too many runs', again, 'retry');
    case 'busy':
        return bad('The server is busy', again, 'retry');
    case 'unavailable':
        return bad('Running programs is not available now', again, 'retry');
    case 'unreachable':
        return bad('The server does not answer',
            'Check your connection, then try again.', 'retry');
    case 'dropped':
        return bad('The connection was lost',
            'before the program began. Try again.', 'retry');
    case 'taken_over':
        return bad('This program goes on in another window', '');
    default:
        return bad('The server did not run it', refusal.message, 'retry');
    }
}

/** 0.05 s, 12.3 s, 3 min 20 s. */
export function seconds(value: number): string {
    if (value >= 120) {
        const whole = Math.round(value);
        const rest = whole % 60;
        return `${Math.floor(whole / 60)} min${rest ? ` ${rest} s` : ''}`;
    }
    if (value >= 10 || Number.isInteger(value)) {
        return `${Math.round(value * 10) / 10} s`;
    }
    return `${value < 1 ? value.toFixed(2) : value.toFixed(1)} s`;
}

/** 300 MB, 12.3 MB, 4 KB: as the units of nginx, 1024 each. */
export function bytes(value: number): string {
    const units = ['bytes', 'KB', 'MB', 'GB'];
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    const shown = value >= 100 || Number.isInteger(value)
        ? Math.round(value) : Math.round(value * 10) / 10;
    return `${shown} ${units[unit]}`;
}

/** A running clock: 3.2 s, 1:05. */
export function clock(ms: number): string {
    const whole = Math.max(0, ms) / 1000;
    if (whole < 60) {
        return `${whole.toFixed(1)} s`;
    }
    const rest = Math.floor(whole % 60);
    return `${Math.floor(whole / 60)}:${String(rest).padStart(2, '0')}`;
}
