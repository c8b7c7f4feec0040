# Nothing of a program runs before its verdict, on no path, however far its
# sandbox has come meanwhile: who checks is stopped here, and the program would
# show itself by its name.  The control has its verdict, and does.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use IO::Select;
use Test::More;

need(qw(plain root module helper));

# Of a source that nobody has seen: what has passed is remembered.
sub program {
    return (language => 'python',
        code => "import time\nwhile True: time.sleep(0.01)  # $_[0]\n");
}

sub runs {
    my ($nginx) = @_;
    return grep { slurp("/proc/$_/comm") =~ /^python/ }
        $nginx->sandbox_processes;
}

for my $path (qw(cold pool zygote)) {
    my $nginx = Codr::Nginx->new(path => $path, policy => 0,
        location => 'codr_policy warn;');
    $nginx->ready;
    ok(wait_until(60, sub {
        $nginx->run_job(language => 'python', code => "print(1)\n")
            ->{complete}{path} eq $path;
    }), "$path: is what jobs take");

    my $ws = $nginx->ws;
    $ws->execute(program('control'));
    ok(wait_until(20, sub { scalar runs($nginx) }), 'one that may run runs');
    $ws->send(type => 'stop');
    is($ws->finish->{complete}{path}, $path, 'on this path');
    ok(wait_until(20, sub { !runs($nginx) }), 'and is gone');
    ok($path eq 'cold'
        || wait_until(20, sub { $nginx->ready_sandboxes > 3 }),
        'as many as ever wait');

    ok(wait_until(20, sub { $nginx->validators > 2 }), 'there is who checks');
    my @validators = $nginx->hold_validators;
    my ($looks, $seen) = (0, 0);
    my $select = IO::Select->new($ws->{s});
    $ws->execute(program('unseen'));
    while (!$select->can_read(0.01)) {
        $looks++;
        $seen += runs($nginx);
    }
    my $job = $ws->finish;
    is($job->{error}{diagnostics}[0]{rule}, 'policy.unavailable',
        'without a verdict it is refused');
    cmp_ok($looks, '>', 3, 'after a while');
    is($seen, 0, 'in which nothing of it ran');
    kill CONT => @validators;
    $nginx->finish(expected => qr/codr: /);
}

# Reviews have their turns.  Whose does not come in the time in which a sandbox
# has to be made is refused all the same, and no sandbox has failed.
my $nginx = Codr::Nginx->new(path => 'zygote', policy => 0,
    http => 'codr_max_jobs 200;', location => 'codr_policy warn;');
$nginx->ready;
ok(wait_until(60, sub { $nginx->validators > 2 }), 'there is who checks');
my @validators = $nginx->hold_validators;
my $all = 4 * (() = slurp('/proc/cpuinfo') =~ /^processor/mg) + 1;
my @clients = map {
    my $client = $nginx->ws;
    $client->execute(program("turn $_"));   # one that may be typed to
    $client;
} 1 .. $all;
my %ends;
for my $client (@clients) {
    my $job = $client->finish(60);
    my $rule = $job->{error} && $job->{error}{diagnostics}[0]{rule};
    $ends{ $rule // $job->{status} }++;
}
is_deeply(\%ends, { 'policy.unavailable' => $all },
    'who waits for its turn in vain is refused, not lost');
unlike($nginx->log, qr/prepare sandbox/, 'nor are their sandboxes');
kill CONT => @validators;
$nginx->finish(expected => qr/codr: /);

done_testing();
