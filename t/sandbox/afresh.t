#!/usr/bin/perl

# A place of the helper's serves one job after the other, and what is made for
# the next one is made ahead: it finds nothing of the last one's, and a disk of
# its own size.  Two processes outside are the control.

use strict;
use warnings;

use Codr::Host qw(spew);
use Codr::Nginx;
use Test::More;

my $probe = <<'END';
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
key, places = int(sys.argv[1]), sys.argv[3].split(":")
make = sys.argv[2] == "leave"
queue = b"/codr-%d" % key
flags = 0o1600 if make else 0           # IPC_CREAT
found = []
def see(name, there):
    if there:
        found.append(name)
shm = libc.shmget(key, 4096 if make else 0, flags)
sem = libc.semget(key, 1 if make else 0, flags)
msg = libc.msgget(key, flags)
mq = libc.mq_open(queue, os.O_RDWR | (os.O_CREAT if make else 0), 0o600, None)
see("shm", shm != -1)
see("sem", sem != -1)
see("msg", msg != -1)
see("mq", mq != -1)
for place in places:
    if make:
        open(place + "/left", "w").close()
    see(place, os.path.exists(place + "/left"))
if not make and found:
    libc.shmctl(shm, 0, None)
    libc.semctl(sem, 0, 0)
    libc.msgctl(msg, 0, None)
    libc.mq_unlink(queue)
size = os.statvfs(places[0])
print(os.getuid(), size.f_blocks * size.f_frsize >> 20, " ".join(found))
END

my $key    = $$ + 1;
my $places = '/box:/tmp:/dev/shm';
my $all    = "shm sem msg $places" =~ tr/:/ /r;   # Landlock has no queues

my $nginx = Codr::Nginx->new(server => 'location = /small { codr_exec;'
        . ' codr_disk 3m; }');
ok($nginx->ready, 'the server is ready');

# What a job with this way of the probe says: uid, size of its disk, findings.
sub job {
    my ($uri, $way) = @_;
    my $json = $nginx->post($uri, { language => 'python', code => $probe,
            args => [ "$key", $way, $places ] })->{json};
    my @said = ($json->{stdout} // '') =~ /^(\d+) (\d+) (.*)\n\z/;
    ok(@said == 3, "a job that would $way ends well") or diag(explain($json));
    return @said;
}

my (%left, %size, $looked);
for (1 .. 20) {
    my ($uid, undef, $found) = job('/run', 'leave');
    is($found, $all, 'a job has what it makes');
    $left{$uid} = 1;
    for my $uri ('/small', '/run') {
        ($uid, my $size, $found) = job($uri, 'look');
        is($found, '', 'and the next one has nothing of it');
        $looked++ if $left{$uid};
        $size{$uri}{$size} = 1;
    }
    last if $looked && $looked > 3;
}
cmp_ok($looked, '>', 0, 'one of them was in its place');
is_deeply(\%size, { '/run' => { 64 => 1 }, '/small' => { 3 => 1 } },
    'each has the disk of its own size');

my $dir = Codr::Nginx::dir();
spew("$dir/probe.py", $probe);
my @outside = map { scalar `/usr/bin/python3 $dir/probe.py $key $_ $dir` }
    qw(leave look);
like($outside[$_], qr/^\d+ \d+ shm sem msg mq \Q$dir\E$/,
    'outside the next one finds it') for 0, 1;

$nginx->finish;
done_testing();
