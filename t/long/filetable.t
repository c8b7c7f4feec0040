# The host's table of open files is full: who is not root gets no descriptor,
# in any process, on a kernel of its own (as t/long/kernel.t).  Clients hear of
# an end, and when there are some again jobs run, without anybody's doing.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp spew top wait_until);
use Codr::Nginx;
use Codr::Phases qw(next_job_runs);
use POSIX ();
use Test::More;

if (!$ENV{CODR_INNER}) {
    $ENV{CODR_V2_TESTS} = 't/long/filetable.t';
    my $done = do(top() . '/t/sandbox/v2.t');
    die $@ || $! if !defined $done;
    exit;
}

need(qw(module helper root));

my $TIMEOUT = 40;           # seconds, in a guest
my $MOST    = '/proc/sys/fs/file-max';

my $nginx = Codr::Nginx->new(languages => 0, location => 'codr_timeout 60s;',
    server => 'location /jobs { codr_jobs; codr_timeout 60s; }',
    http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

my $before = slurp($MOST) =~ s/\n//r;

sub in_use { return (split ' ', slurp('/proc/sys/fs/file-nr'))[0] }

# A request nobody has accepted yet: who has no descriptor for it cannot refuse
# it either.
sub asked {
    my ($path) = @_;
    my $client = Codr::Client->connect(port => $nginx->port);
    $client->send_request(method => 'POST', path => $path,
        headers => ['Content-Type: application/json'],
        body => Codr::Client::encode({ language => 'sh', code => 'echo on' }));
    return $client;
}

# Who is nobody cannot open a file, which root still can.
sub is_full {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        ($(, $)) = (65534, '65534 65534');
        ($<, $>) = (65534, 65534);
        POSIX::_exit(open(my $file, '<', '/dev/null') ? 1
            : $!{ENFILE} ? 0 : 2);
    }
    waitpid $pid, 0;
    return $? == 0;
}

# The kernel counts in steps of 32 until it looks closely.
my (%said, @late, @stuck);
for my $more (-64, -24, 0, 8) {
    my $ws = $nginx->ws;
    spew($MOST, in_use() + $more);
    ok(is_full(), 'the table is full') if $more == -64;
    my $said = $ws->run_job(language => 'sh', code => 'echo on',
        timeout => $TIMEOUT)->{status};
    $said{$said}++;
    push @late, $more if $said =~ /^\(/;
    my @asked = map { asked($_) } qw(/run /jobs);
    spew($MOST, $before);
    for (@asked) {
        my $answer = $_->answer($TIMEOUT);
        $said = $answer->{json}{status} // $answer->{json}{code}
            // $answer->{status};
        $said{ $said =~ s/^202$/ok/r }++;
        push @late, $more if !$answer->{status};
    }
    $ws->drop;
    push @stuck, $more if !next_job_runs($nginx);
}
ok(!is_full(), 'there is room again');
diag(join ', ', map {"$_ $said{$_}"} sort keys %said);
is("@late", '', 'clients hear of an end');
cmp_ok(scalar(grep { $_ ne 'ok' } keys %said), '>', 0, 'some of a refusal');
is("@stuck", '', 'and each time jobs run again');
is(join(' ', sort values %{ $nginx->helpers }),
    'broker keeper spawner supervisor', 'the helper is whole');
ok(wait_until(20, sub { !$nginx->job_processes }), 'no process is left');
$nginx->finish(expected => qr/Too many open files in system|codr: /);
done_testing();
