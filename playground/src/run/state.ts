// What a run is at, as a pure function of what happened: the page shows this
// and nothing else.  No I/O, no clock: times come with the events.

import type { Complete, Failure, Limits, ServerMessage }
    from '../protocol/messages';
import type { Refusal } from '../protocol/server';

export type Phase =
    | 'idle'            // nothing ran yet
    | 'connecting'      // the program waits for a socket
    | 'sent'            // the server has the program
    | 'queued'
    | 'compiling'
    | 'running'
    | 'reconnecting'    // the socket is gone, the job perhaps not
    | 'done'            // complete
    | 'failed'          // error: of the program or of the server
    | 'lost';           // nobody knows what became of it

export interface RunState {
    phase: Phase;
    language: string;
    stopping: boolean;
    position?: number;
    wait?: number;
    since?: number;         // ms: when the run stage began
    limits?: Limits;
    complete?: Complete;
    failure?: Failure;
    refusal?: Refusal;
}

export type RunEvent =
    | { type: 'run'; language: string }
    | { type: 'resume'; language: string; since: number }
    | { type: 'opened' }
    | { type: 'message'; message: ServerMessage; at: number }
    | { type: 'dropped' }
    | { type: 'refused'; refusal: Refusal }
    | { type: 'lost' }
    | { type: 'stop' }
    | { type: 'withdrawn' };

export const IDLE: RunState = { phase: 'idle', language: '', stopping: false };

const ACTIVE = new Set<Phase>(['connecting', 'sent', 'queued', 'compiling',
    'running', 'reconnecting']);

export function isActive(state: RunState): boolean {
    return ACTIVE.has(state.phase);
}

/** Whether the program can take input now. */
export function takesInput(state: RunState): boolean {
    return state.phase === 'running' || state.phase === 'compiling';
}

export function advance(state: RunState, event: RunEvent): RunState {
    switch (event.type) {
    case 'run':
        return { ...IDLE, phase: 'connecting', language: event.language };
    case 'resume':
        return { ...IDLE, phase: 'reconnecting', language: event.language,
            since: event.since };
    case 'opened':
        return state.phase === 'connecting'
            ? { ...state, phase: 'sent' } : state;
    case 'message':
        return isActive(state)
            ? received(state, event.message, event.at) : state;
    case 'dropped':
        return isActive(state) ? { ...state, phase: 'reconnecting' } : state;
    case 'refused':
        return { ...state, phase: 'failed', stopping: false,
            refusal: event.refusal };
    case 'lost':
        return { ...state, phase: 'lost', stopping: false };
    case 'stop':
        return isActive(state) ? { ...state, stopping: true } : state;
    case 'withdrawn':
        return IDLE;
    }
}

function received(state: RunState, message: ServerMessage, at: number):
    RunState {
    switch (message.type) {
    case 'queued':
        return { ...state, phase: 'queued', position: message.position,
            ...(message.wait === undefined ? {} : { wait: message.wait }) };
    case 'started':
        return { ...state, language: message.language,
            phase: state.since === undefined ? 'sent' : 'running',
            ...(message.limits ? { limits: message.limits } : {}) };
    case 'stage':
        return message.stage === 'compile'
            ? { ...state, phase: 'compiling' }
            : { ...state, phase: 'running', since: state.since ?? at };
    case 'output':
        return state.phase === 'running' ? state
            : { ...state, phase: 'running', since: state.since ?? at };
    case 'complete':
        return { ...state, phase: 'done', stopping: false,
            complete: message };
    case 'error':
        return { ...state, phase: 'failed', stopping: false,
            failure: message };
    case 'notice':
        return state;
    }
}
