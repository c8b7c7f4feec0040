#!/usr/bin/perl

# A helper run by a service manager: its own configuration is the ceiling,
# nginx.conf can only narrow it, and who may connect is checked.

use strict;
use warnings;

use Codr::Host qw(build slurp spew top wait_until);
use Codr::Nginx;
use Fcntl qw(F_SETFD);
use POSIX ();
use Socket qw(AF_UNIX SOCK_SEQPACKET SOCK_STREAM pack_sockaddr_un);
use Test::More;

plan skip_all => 'not root: the helper would serve nobody else' if $> != 0;

my $dir    = Codr::Nginx::dir();
my $socket = "$dir/sandbox.sock";

sub start_helper {
    my ($conf) = @_;
    spew("$dir/helper.conf", $conf);
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDERR, '>>', "$dir/helper.log";
    exec build() . '/codr-sandboxd', '--config', "$dir/helper.conf",
        '--listen', $socket
        or POSIX::_exit(127);
}

sub stop_helper {
    my ($pid) = @_;
    kill TERM => $pid;
    return wait_until(10, sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
}

my $languages = 'include ' . top() . '/conf/languages.conf;';
my $uids      = 'codr_uids ' . (0x72000000 + ($$ & 0xfff) * 64) . ' 64;';

my $helper = start_helper("$uids\n$languages\ncodr_memory 100m;\n");
ok(wait_until(10, sub { -S $socket }), 'the helper listens')
    or BAIL_OUT(slurp("$dir/helper.log"));

my $nginx = Codr::Nginx->new(helper => "unix:$socket", uids => 0,
    location => 'codr_cpu_time 2s;');
ok($nginx->ready, 'nginx finds it') or diag($nginx->log);

my $job = $nginx->run_job(language => 'python', code => 'print(6 * 7)');
is($job->{complete}{status}, 'ok', 'a program runs');
like($job->{stdout}, qr/^42/, 'and is heard');

sub refusal {
    my (%limits) = @_;
    my $end = $nginx->run_job(language => 'python', code => '1',
        limits => \%limits)->{error} // {};
    return join ' ', map { $end->{$_} // '' } qw(code limit cap);
}

is(refusal(memory_bytes => 200 * 1024 * 1024),
    'bad_message memory_bytes ' . 100 * 1024 * 1024,
    "the helper's own ceiling is in force");
is(refusal(cpu_time => 3), 'bad_message cpu_time 2',
    'nginx.conf narrows another one');

$nginx->reload(location => 'codr_memory 1g; codr_cpu_time 2s;');
is(refusal(memory_bytes => 200 * 1024 * 1024),
    'bad_message memory_bytes ' . 100 * 1024 * 1024,
    'nginx.conf cannot raise a ceiling');

# a stranger: the kernel's word about who connects, not the socket's mode
chmod 0666, $socket;
my $stranger = fork // die "fork: $!";
if ($stranger == 0) {
    POSIX::setuid(65534);
    socket my $s, AF_UNIX, SOCK_SEQPACKET, 0 or POSIX::_exit(2);
    connect $s, pack_sockaddr_un($socket) or POSIX::_exit(3);
    my $n = sysread $s, my $status, 65536;
    POSIX::_exit(defined $n && $n > 0 ? 1 : 0);
}
waitpid $stranger, 0;
is($? >> 8, 0, 'another user gets no channel');

ok(stop_helper($helper), 'the helper ends when it is told');
ok($nginx->ready(10, sub { $_[0]{status} == 503 }), 'health says so');
is($nginx->get('/languages')->{status}, 200, 'nginx goes on');

$helper = start_helper("$uids\n$languages\ncodr_memory 100m;\n");
ok($nginx->ready, 'and finds a new helper by itself');
is($nginx->run_job(language => 'python', code => '1')->{complete}{status},
    'ok', 'a program runs again');

$nginx->finish;
ok(stop_helper($helper), 'the new helper ends');

# A service manager that listens itself and passes the socket (LISTEN_FDS): as
# systemd does with codr-sandbox.socket.

sub listener {
    my ($type) = @_;
    unlink $socket;
    socket my $s, AF_UNIX, $type, 0 or die "socket: $!";
    bind $s, pack_sockaddr_un($socket) or die "bind: $!";
    listen $s, 16 or die "listen: $!";
    my (undef, undef, undef, $group) = getpwnam 'www-data';
    chown 0, $group, $socket;
    chmod 0660, $socket;
    return $s;
}

sub activate {
    my ($s, $count, $for) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDERR, '>>', "$dir/helper.log";
    if ($s && fileno $s == 3) {
        fcntl $s, F_SETFD, 0;
    } elsif ($s) {
        POSIX::dup2(fileno $s, 3);      # which stays open in what is executed
    }
    @ENV{qw(LISTEN_FDS LISTEN_PID)} = ($count, $for // $$);
    exec build() . '/codr-sandboxd', '--config', "$dir/helper.conf"
        or POSIX::_exit(127);
}

my $passed = listener(SOCK_SEQPACKET);
$helper = activate($passed, 1);
$nginx = Codr::Nginx->new(helper => "unix:$socket", uids => 0);
ok($nginx->ready, 'a helper with a passed socket serves')
    or diag(slurp("$dir/helper.log"));
is($nginx->run_job(language => 'python', code => '1')->{complete}{status},
    'ok', 'a program runs');
my $here = do { (stat $socket)[1] };
ok(stop_helper($helper), 'the helper ends');
is((stat $socket)[1] // '', $here, 'the socket is the manager\'s, and stays');

# nginx connects meanwhile: to the manager's queue, which the next one serves.
$helper = activate($passed, 1);
ok($nginx->ready, 'the next one takes over');
my @family = split ' ', slurp("/proc/$helper/task/$helper/children");
kill KILL => $helper;
waitpid $helper, 0;
ok(@family && wait_until(10, sub { !grep { kill 0, $_ } @family }),
    'the family of a killed helper ends');
$helper = activate($passed, 1);
ok($nginx->ready(20, sub {
    $_[0]{status} == 200 && $nginx->run_job(language => 'python',
        code => '1')->{status} eq 'ok';
}), 'and the one after a kill');
$nginx->finish;
ok(stop_helper($helper), 'it ends, too');

for ([ 'none passed', undef, 1 ], [ 'for another process', $passed, 1, 1 ],
    [ 'two of them', $passed, 2 ],
    [ 'a stream', listener(SOCK_STREAM), 1 ]) {
    my ($what, @how) = @{$_};
    my $pid = activate(@how);
    ok(wait_until(10, sub { waitpid($pid, POSIX::WNOHANG()) == $pid }),
        "$what: the helper does not stay");
    is($? >> 8, 1, "$what: and says so");
}
close $passed;
unlink $socket;

# what a mistake in the file says
my $said = do {
    spew("$dir/bad.conf", "codr_memory 100m;\ncodr_nonsense 1;\n");
    local $/;
    open my $out, '-|', build() . "/codr-sandboxd --config $dir/bad.conf"
        . " --listen $socket 2>&1";
    my $text = <$out>;
    close $out;
    $text;
};
like($said, qr/bad\.conf:2.*codr_nonsense/s, 'a mistake has file and line');
is($? >> 8, 2, 'and an exit status');
system(build() . "/codr-sandboxd --config $dir/none --listen $socket 2>&-");
is($? >> 8, 2, 'as has a missing file');

done_testing();
