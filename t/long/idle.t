# As t/long/faults.t for those who wait for a job: ready sandboxes, the zygote,
# the validator and its children.  Each is killed, and stopped for good.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Phases qw(role);
use Test::More;

need(qw(root module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(languages => 0, workers => 2,
    location => 'codr_timeout 20s;', http => <<'END', server => <<'END2');
codr_language python {
    version /usr/bin/python3 --version;
    source main.py; run /usr/bin/python3 $source; warm 2; zygote python;
}
codr_language checked {
    source main.py; run /usr/bin/python3 $source; grammar python;
    policy python;
}
END
    location = /checked { codr_exec; codr_policy block standard; }
END2
ok($nginx->ready, 'the server is ready');

sub children {
    my ($parent) = @_;
    return grep { (slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S (\d+)/s
        ? $1 : 0) == $parent } map {m{(\d+)$}} glob '/proc/[0-9]*';
}

sub validator {
    my $supervisor = role($nginx, 'supervisor') or return;
    my ($pid) = grep { slurp("/proc/$_/cmdline") =~ /codr-validator/ }
        children($supervisor);
    return $pid;
}

# Ready sandboxes, and the zygote.

sub python {
    my $answer = $nginx->post('/run', { language => 'python',
        code => 'print(6 * 7)' }, timeout => 60);
    return $answer->{json}{status} // $answer->{json}{code} // 'nothing';
}

sub cloned {
    return wait_until(60, sub {
        my $answer = $nginx->post('/run', { language => 'python',
            code => '' }, timeout => 60);
        return ($answer->{json}{path} // '') eq 'zygote';
    });
}

ok(cloned(), 'jobs are clones');
for my $signal (qw(KILL STOP)) {
    wait_until(20, sub { $nginx->ready_processes >= 2 });
    my @ready = $nginx->ready_processes;
    kill $signal => @ready;
    my @said = map { python() } 1 .. 3;
    is(scalar(grep { !/^(?:ok|internal)$/ } @said), 0,
        "$signal to sandboxes that wait: jobs end") or diag("@said");
    ok(wait_until(30, sub { python() eq 'ok' }), 'and run again');
    ok(wait_until(30, sub { !grep { -e "/proc/$_" } @ready }),
        'those are gone') or kill KILL => @ready;
}

for my $signal (qw(KILL STOP)) {
    ok(cloned(), 'jobs are clones');
    my @zygotes = $nginx->zygotes;
    cmp_ok(scalar @zygotes, '>', 0, 'there is a zygote');
    kill $signal => @zygotes;
    my @said = map { python() } 1 .. 6;
    is(join(' ', @said), join(' ', ('ok') x 6),
        "$signal to a zygote: jobs run");
    ok(wait_until(60, sub { !grep { -e "/proc/$_" } @zygotes }),
        'it is replaced') or kill KILL => @zygotes;
    ok(cloned(), 'by one that works');
}

# The validator, and its children.

my $serial = 0;
sub checked {
    my $n = ++$serial;          # what has passed once is not checked again
    my $answer = $nginx->post('/checked', { language => 'checked',
        code => "print($n)" }, timeout => 90);
    return $answer->{json}{status} // $answer->{json}{code} // 'nothing';
}

is(checked(), 'ok', 'a program is checked');
for my $signal (qw(KILL STOP)) {
    my $pid = wait_until(30, sub { validator() }) // 0;
    my @children = children($pid);
    kill $signal => $pid;
    my @said = map { checked() } 1 .. 2 + @children;
    is(scalar(grep { !/^(?:ok|rejected|unavailable)$/ } @said), 0,
        "$signal to the validator: each client is answered")
        or diag("@said");
    ok(wait_until(90, sub { checked() eq 'ok' }), 'programs are checked again');
    ok(wait_until(30, sub { !-e "/proc/$pid" }), 'by another one')
        or kill KILL => $pid;
}

for my $signal (qw(KILL STOP)) {
    my $pid = wait_until(30, sub { validator() }) // 0;
    my @children = children($pid);
    cmp_ok(scalar @children, '>', 0, 'children wait');
    kill $signal => @children;
    my $said = checked();
    like($said, qr/^(?:ok|rejected|unavailable)$/,
        "$signal to its children: a client is answered");
    if ($signal eq 'STOP') {
        kill CONT => @children;
    }
    ok(wait_until(60, sub { checked() eq 'ok' }), 'programs are checked again');
}

ok(wait_until(10, sub { !$nginx->job_processes }), 'nothing is left');
$nginx->finish(expected => qr/codr: /);
done_testing();
