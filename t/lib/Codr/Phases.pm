package Codr::Phases;

# A job at each phase of its life, for tests that break something then.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(slow slurp wait_until);
use Exporter 'import';
use JSON::PP ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(%phase @phases next_job_runs paused role stop_process);

# What the server needs for them, in "http", and in "location".
sub http {
    return <<'END';
codr_max_jobs 8 batch=1;
codr_language sh { source main.sh; run /bin/sh $source; }
codr_language slow {
    source main.slow; compile /bin/sh main.slow $program; run $program;
}
END
}

sub location { return 'codr_output 64m;' }

# By name, called with the server: the socket, what makes the job end by
# itself, and who else is there; and how it ends when nothing is broken.
our %phase = (
    queued => sub {
        my ($nginx) = @_;
        my $first = Codr::Client->connect(port => $nginx->port);
        my $body = Codr::Client::encode({ language => 'sh',
            code => 'sleep 3' });
        $first->send_request(method => 'POST', path => '/run', body => $body,
            headers => ['Content-Type: application/json']);
        wait_until(10, sub { $nginx->job_processes });
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', code => 'echo me', stdin => '');
        $ws->wait_for('queued', 10);
        return ($ws, sub { }, $first);
    },
    compile => sub {
        my ($nginx) = @_;
        my $ws = $nginx->ws;
        $ws->execute(language => 'slow', code => 'sleep 3; exit 1');
        $ws->wait_for('stage', 10);
        return ($ws, sub { });
    },
    run => sub {
        my ($nginx) = @_;
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', code => 'echo on; read x; echo $x');
        $ws->expect(qr/on/);
        return ($ws, sub { $ws->input("x\n") });
    },
    flood => sub {
        my ($nginx) = @_;
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', tty => JSON::PP::false(),
            code => 'while :; do echo 0123456789012345678901234567890; done');
        $ws->expect(qr/0123456789/);
        return ($ws, sub { $ws->send(type => 'stop') });
    },
    input => sub {
        my ($nginx) = @_;
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', tty => JSON::PP::false(),
            code => 'echo on; sleep 1; cat >/dev/null');
        $ws->expect(qr/on/);
        $ws->input('x' x 60000) for 1 .. 4;
        return ($ws, sub { $ws->send(type => 'eof') });
    },
);

our @phases = sort keys %phase;

# A pattern of how it ends when nothing is broken.
sub end_of {
    my ($phase) = @_;
    return $phase eq 'compile' ? qr/^compile_error$/
        : $phase eq 'flood' ? qr/^(?:stopped|output_limit)$/ : qr/^ok$/;
}

# The process of a role of the helper, which is in no sandbox.
sub role {
    my ($nginx, $role) = @_;
    my $roles = $nginx->helpers;
    my ($pid) = grep { $roles->{$_} eq $role
        && slurp("/proc/$_/status") =~ /^NSpid:\s+\d+$/m }
        sort { $a <=> $b } keys %{$roles};
    return $pid;
}

# Returns when it has stopped: until then it could still be the one that is
# woken for a connection.
sub stop_process {
    my ($pid) = @_;
    kill STOP => $pid;
    return wait_until(10, sub {
        slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) [^RSD]/s;
    });
}

# At each phase a process, which is found for the job's socket, stops while the
# job would end, and goes on: the phases in which the job did not end as ever,
# and those in which nginx answered late.
sub paused {
    my ($nginx, $find) = @_;
    my (@wrong, @late);
    for my $phase (@phases) {
        my ($ws, $end, $other) = $phase{$phase}->($nginx);
        my $pid = $find->($ws) or next;
        stop_process($pid);
        my $start = time;
        $end->();
        for (1 .. 2) {
            my $answer = $nginx->get('/languages');
            push @late, $phase if $answer->{status} != 200
                || time - $start > 3 * slow();
        }
        kill CONT => $pid;
        my $job = $ws->finish(60);
        push @wrong, "$phase: $job->{status}"
            if $job->{status} !~ end_of($phase);
        $other->answer(10) if $other;
    }
    return ("@wrong", "@late");
}

sub next_job_runs {
    my ($nginx) = @_;
    return wait_until(20, sub {
        my $answer = $nginx->post('/run', { language => 'sh',
            code => 'echo on' }, timeout => 30);
        return ($answer->{json}{stdout} // '') eq "on\n";
    });
}

1;
