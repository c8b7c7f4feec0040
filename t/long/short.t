# Reads and writes transfer less than they could, calls are interrupted, what
# must not wait finds nothing: in every process of the helper, and the sockets
# between it and nginx hold next to nothing.  Jobs do exactly what they do
# otherwise, byte by byte.
#
# CODR_SHORT_SEED is what a run printed, CODR_SHORT_SECONDS how long it takes.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(role);
use Digest::SHA qw(sha256_hex);
use IPC::Open2;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

need(qw(plain root module helper /usr/bin/gcc /usr/bin/python3));

my $SEED = $ENV{CODR_SHORT_SEED} // int rand 2**31;
my $SECONDS = $ENV{CODR_SHORT_SECONDS} // 40;
my $TIMEOUT = 120;

srand $SEED;
diag("CODR_SHORT_SEED=$SEED");

my $dir = Codr::Nginx::dir();
is(system('/usr/bin/gcc', qw(-O1 -std=gnu11 -o), "$dir/short",
    't/long/short.c'), 0, 'what makes calls short');
is(system('/usr/bin/gcc', qw(-O1 -shared -fPIC -o), "$dir/narrow.so",
    't/long/narrow.c'), 0, 'and what makes sockets narrow');

my $nginx = do {
    local $ENV{LD_PRELOAD} = "$dir/narrow.so";
    Codr::Nginx->new(dir => $dir, workers => 2,
        location => 'codr_output 8m; codr_timeout 60s; codr_detach 60s;',
        http => <<'END', server => <<'END2');
    codr_language sh { source main.sh; run /bin/sh $source; }
END
    location /jobs { codr_jobs; codr_output 8m; codr_timeout 60s; }
    location = /checked {
        codr_exec; codr_policy block standard; codr_timeout 60s;
    }
END2
};
ok($nginx->ready, 'the server is ready');

# Bytes of no pattern, without a newline missing anywhere.
sub text {
    my ($bytes) = @_;
    my $text = '';
    $text .= sprintf("%d %08x\n", length $text, int rand 2**32)
        while length $text < $bytes;
    return $text;
}

sub result {
    my ($answer) = @_;
    my $json = $answer->{json} // {};
    return $json->{status} // $json->{code} // "nothing: $answer->{status}";
}

# Each says what is wrong, or nothing.
my $count = 0;
my @JOBS = (
    [ 'a request with much stdin' => sub {
        my $text = text(rand 150_000);
        my $answer = $nginx->post('/run', { language => 'sh', code => 'cat',
            stdin => $text }, timeout => $TIMEOUT);
        return result($answer) if result($answer) ne 'ok';
        return $answer->{json}{stdout} eq $text ? '' : 'other bytes';
    } ],
    [ 'a socket with input in pieces' => sub {
        my $ws = $nginx->ws;
        my $text = text(rand 60_000);
        $ws->execute(language => 'sh', tty => JSON::PP::false,
            code => 'cat; echo end >&2');
        for (my $at = 0; $at < length $text;) {
            my $piece = substr $text, $at, 1 + rand 20_000;
            $ws->input($piece);
            $at += length $piece;
        }
        $ws->send(type => 'eof');
        my $job = $ws->finish($TIMEOUT);
        return $job->{status} if $job->{status} ne 'ok';
        return $job->{stdout} eq $text && $job->{stderr} eq "end\n" ? ''
            : 'other bytes';
    } ],
    [ 'a terminal' => sub {
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', tty => { cols => 99, rows => 9 },
            code => 'stty size; while read x; do echo "got $x"; done; exit 3');
        $ws->expect(qr/9 99/, $TIMEOUT) or return 'no size';
        for my $n (1 .. 5) {
            my $line = 'x' x rand 500;
            $ws->input("$n$line\n");
            $ws->expect(qr/got $n$line\r\n/, $TIMEOUT)
                or return "line $n is lost";
        }
        $ws->send(type => 'eof');
        my $job = $ws->finish($TIMEOUT);
        return ($job->{complete}{exit_code} // '') eq 3 ? '' : $job->{status};
    } ],
    [ 'much output, with offsets' => sub {
        my $ws = $nginx->ws;
        my $lines = int rand 40_000;
        $ws->execute(language => 'sh', tty => JSON::PP::false,
            code => "i=0; while [ \$i -lt $lines ]; do echo \$i;"
                . ' i=$((i + 1)); done');
        my $job = $ws->finish($TIMEOUT);
        return $job->{status} if $job->{status} ne 'ok';
        my $at = 0;
        for (grep { $_->{type} eq 'output' } @{ $job->{messages} }) {
            return "offset $_->{offset} at $at" if $_->{offset} != $at;
            $at = $_->{end};
        }
        return $job->{stdout} eq join('', map {"$_\n"} 0 .. $lines - 1) ? ''
            : 'other bytes';
    } ],
    [ 'files' => sub {
        my %file = map { ("f$_.bin" => join '', map { chr int rand 256 }
            1 .. rand 30_000) } 1 .. 6;
        my $answer = $nginx->post('/run', { language => 'sh',
            code => 'sha256sum f*.bin', files => [ map { { name => $_,
                content => encode_base64($file{$_}, ''),
                encoding => 'base64' } } sort keys %file ] },
            timeout => $TIMEOUT);
        return result($answer) if result($answer) ne 'ok';
        return $answer->{json}{stdout} eq join('', map {
            sha256_hex($file{$_}) . "  $_\n" } sort keys %file) ? ''
            : 'other files';
    } ],
    [ 'a compiler, and its program' => sub {
        my $n = ++$count;
        my $answer = $nginx->post('/run', { language => 'c', code => <<"END",
#include <stdio.h>
static const char much[300000] = { $n };
int main(void) {
    unsigned long i, sum = 0;
    for (i = 0; i < sizeof(much); i++) sum += (unsigned char) much[i];
    printf("%lu\\n", sum);
    return 0;
}
END
            }, timeout => $TIMEOUT);
        return result($answer) if result($answer) ne 'ok';
        my $sum = $n & 255;
        return $answer->{json}{stdout} eq "$sum\n" ? '' : 'another sum';
    } ],
    [ 'a verdict' => sub {
        my $n = ++$count;
        my $answer = $nginx->post('/checked', { language => 'python',
            code => "x = $n\nprint(x)\n" . "# nothing\n" x rand 300 },
            timeout => $TIMEOUT);
        return result($answer) if result($answer) ne 'ok';
        return "not $n" if $answer->{json}{stdout} ne "$n\n";
        $answer = $nginx->post('/checked', { language => 'python',
            code => "# $n\neval('1')\n" }, timeout => $TIMEOUT);
        return result($answer) eq 'rejected' ? '' : result($answer);
    } ],
    [ 'an asynchronous job, and its output' => sub {
        my $lines = int rand 20_000;
        my $answer = $nginx->post('/jobs', { language => 'sh',
            code => "i=0; while [ \$i -lt $lines ]; do echo \$i;"
                . ' i=$((i + 1)); done' }, timeout => $TIMEOUT);
        my $id = $answer->{json}{job_id} // return result($answer);
        my $record = $nginx->get("/jobs/$id?wait=60", timeout => $TIMEOUT);
        my $status = $record->{json}{result}{status} // 'no result';
        return $status if $status ne 'ok';
        my $body = $nginx->get("/jobs/$id/output", timeout => $TIMEOUT)
            ->{body};
        return $body eq join('', map {"$_\n"} 0 .. $lines - 1) ? ''
            : 'other bytes';
    } ],
    [ 'a job that is joined again' => sub {
        my $ws = $nginx->ws;
        $ws->execute(language => 'sh', tty => JSON::PP::false,
            detach => JSON::PP::true,
            code => 'seq 1 2000; read x; seq 2001 4000');
        $ws->expect(qr/1000\n/, $TIMEOUT) or return 'no output';
        my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
        $ws->drop;
        $ws = $nginx->ws;
        $ws->execute(type => 'attach', job_id => $started->{job_id},
            attach_token => $started->{attach_token}, offset => 0);
        $ws->input("\n");
        my $job = $ws->finish($TIMEOUT);
        return $job->{status} if $job->{status} ne 'ok';
        return $job->{stdout} eq join('', map {"$_\n"} 1 .. 4000) ? ''
            : 'other bytes';
    } ],
);

my %wrong;
sub round {
    my ($how) = @_;
    for (@JOBS) {
        my ($name, $do) = @{$_};
        my $problem = eval { $do->() } // $@;
        push @{ $wrong{$how} }, "$name: $problem" if $problem ne '';
    }
}

round('narrow');
is(join("\n", @{ $wrong{narrow} // [] }), '', 'narrow sockets: all is right');

sub children {
    my ($parent) = @_;
    return grep { (slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S (\d+)/s
        ? $1 : 0) == $parent } map {m{(\d+)$}} glob '/proc/[0-9]*';
}

# Starts it on some processes: what is needed to end it.
sub disturb {
    my ($kinds, @pids) = @_;
    my $pid = open2(my $out, my $in, "$dir/short", 1 + int rand 2**30, $kinds,
        @pids);
    is(scalar readline $out, "ready\n", 'it begins');
    return { pid => $pid, in => $in, out => $out };
}

sub leave_alone {
    my ($one) = @_;
    close $one->{in};
    my $said = readline($one->{out}) // '';
    waitpid $one->{pid}, 0;
    diag($said);
    return $said =~ /short (\d+) interrupted (\d+) again (\d+)/;
}

my %roles = %{ $nginx->helpers };
my $supervisor = role($nginx, 'supervisor');
my ($validator) = grep { slurp("/proc/$_/cmdline") =~ /codr-validator/ }
    children($supervisor);
# somebody of that list may end before it is traced, as this one has
my $ended = fork // die "fork: $!";
POSIX::_exit(0) if !$ended;
wait_until(10, sub { slurp("/proc/$ended/stat") =~ /\) Z / });
my @helper = (sort keys %roles, $validator, children($validator), $ended);
cmp_ok(scalar @helper, '>', 5, 'all processes of the helper');

my $short = disturb('sia', @helper);
waitpid $ended, 0;
my $interrupted = disturb('i', $nginx->workers);
my $end = time + $SECONDS;
my $rounds = 0;
while (time < $end) {
    round('short');
    $rounds++;
}
my @done = leave_alone($short);
my (undef, $workers) = leave_alone($interrupted);

diag("$rounds rounds");
is(join("\n", @{ $wrong{short} // [] }), '', 'short calls: all is right');
cmp_ok($done[0] // 0, '>', 100, 'calls were short');
cmp_ok($done[1] // 0, '>', 10, 'interrupted');
cmp_ok($done[2] // 0, '>', 0, 'or found nothing');
cmp_ok($workers // 0, '>', 10, 'those of workers, too');

is(join(' ', sort keys %{ $nginx->helpers }), join(' ', sort keys %roles),
    'no role has ended');
round('after');
is(join("\n", @{ $wrong{after} // [] }), '', 'all is right afterwards');
ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish;
done_testing();
