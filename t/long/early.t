# A program that takes over its interpreter while this reads it, before there is
# a verdict, gains nothing: nobody hears what it says, nor that it has ended,
# and when it is refused it was never there.  Who takes over is a library in the
# zygote (early.c).  The control, which no policy holds, is heard.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use IO::Select;
use JSON::PP qw(encode_json);
use Test::More;

need(qw(plain root module helper /usr/bin/python3 /usr/bin/gcc));

my $dir = Codr::Nginx::dir();
mkdir "$dir/modules";
is(system('/usr/bin/gcc', qw(-O1 -std=gnu11 -shared -fPIC -o),
    "$dir/modules/takes.so", 't/long/early.c'), 0, 'what takes over');
spew("$dir/modules/early.py",
    "import ctypes\nctypes.CDLL('/opt/modules/takes.so').begin()\n");

my $limits = 'codr_memory 300m; codr_timeout 20s; codr_code_size 1m;'
    . ' codr_cpu_time 3s;';
my $nginx = Codr::Nginx->new(dir => $dir, languages => 0, policy => 0,
    log => 'debug',
    server => "location = /off { codr_exec; codr_policy off; $limits }"
        . "location = /quota { codr_exec; codr_policy block standard; $limits"
        . ' codr_limit_jobs $http_x_user cpu=700ms/h; }',
    location => "codr_policy block standard; codr_ast_nodes 1000000; $limits",
    http => <<"END");
codr_bind $dir/modules /opt/modules;
codr_language python {
    version /usr/bin/python3 --version;
    source main.py;
    run /usr/bin/python3 \$source;
    env PYTHONPATH=/opt/modules;
    warm 3;
    zygote python;
    preload early;
}
END
ok($nginx->ready, 'a server');

sub cloned {
    return wait_until(60, sub {
        ($nginx->post('/off', { language => 'python', code => '' })->{json}
            {path} // '') eq 'zygote' })
        && wait_until(30, sub { $nginx->ready_sandboxes >= 3 });
}

# Its mark is there, or its process is not any more, where that is what it does.
sub acted {
    my ($order, @before) = @_;
    return grep { !-d "/proc/$_" } @before
        if $order =~ /^(?:close|die|end|fill)$/;
    return grep { -e "/proc/$_/root/tmp/early" } $nginx->sandbox_processes;
}

# What its client hears until there is a verdict, and in the end.  Of sources
# that nobody has seen: what has passed is remembered.
my $number = 0;

sub run_held {
    my ($order, $tty, $rest) = @_;
    ok(cloned(), "$order: there are clones");
    my @held = $nginx->hold_validators;
    my @before = $nginx->sandbox_processes;
    my $ws = $nginx->ws;
    $ws->execute(language => 'python', tty => $tty ? JSON::PP::true
        : JSON::PP::false, stdin => $tty ? undef : '',
        code => "# early: $order\nprint('late')\n$rest# "
            . $number++);
    ok(wait_until(4, sub { acted($order, @before) }), "$order: it acts");
    ok(!IO::Select->new($ws->{s})->can_read(0.05),
        "$order: and nobody hears it");
    kill CONT => @held;
    return $ws->finish;
}

ok(cloned(), 'jobs are clones') or BAIL_OUT($nginx->log);
my $control = $nginx->post('/off', { language => 'python',
    code => "# early: say\nprint('late')\n" })->{json};
is($control->{path}, 'zygote', 'the control is a clone');
is($control->{stdout}, "early\nlate\n", 'that is heard');
is($control->{stderr}, "early\n", 'on both streams');

# What comes of it once it may run: its output, the path, the status.
my %passed = (
    say => [ "early\nlate\n", 'zygote', 'ok' ],
    end => [ "late\n", 'cold', 'ok' ],
    die => [ "late\n", 'cold', 'ok' ],
    fill => [ "late\n", 'cold', 'ok' ],
    forge => [ '', 'zygote', 'error' ],     # nobody listens: its own end
    close => [ "late\n", 'cold', 'ok' ],
    spin => [ '', 'zygote', 'cpu_limit' ],
    others => [ undef, 'zygote', 'ok' ],
);
for my $order (sort keys %passed) {
    my ($output, $path, $status) = @{ $passed{$order} };
    my $job = run_held($order, 0, "import os\nos.system('x')\n");
    is($job->{error}{code}, 'rejected', "$order: it is refused")
        or diag(explain($job));
    isnt($job->{error}{diagnostics}[0]{rule}, 'policy.unavailable',
        "$order: for what it is");
    is(join(' ', map { $_->{type} } @{ $job->{messages} }), 'error',
        "$order: and that is all");

    $job = run_held($order, 0, '');
    is($job->{complete}{status}, $status, "$order: one that passes")
        or diag(explain($job));
    is($job->{complete}{path}, $path, "$order: on this path");
    is($job->{messages}[0]{type}, 'started', "$order: begins with that");
    is($job->{stdout}, $output, "$order: and says this") if defined $output;
    like($job->{stdout}, qr/late/, "$order: has run") if $status eq 'ok';
}

# Its end and its verdict meet, before the spawner has seen that end.
ok(cloned(), 'there are clones, once more');
my @checks = $nginx->hold_validators;
my @clones = $nginx->sandbox_processes;
my $roles = $nginx->helpers;
my ($spawner) = grep { $roles->{$_} eq 'spawner' } keys %{$roles};
kill STOP => $spawner;
my $meets = $nginx->ws;
$meets->execute(language => 'python', tty => JSON::PP::false, stdin => '',
    code => "# early: end\nprint('late')\n# meets");
ok(wait_until(4, sub { grep { slurp("/proc/$_/stat") =~ /\) Z / } @clones }),
    'a sandbox has ended that nobody has waited for');
my $verdicts = () = $nginx->log =~ /a verdict took/g;
kill CONT => @checks;
ok(wait_until(20, sub {
    (() = $nginx->log =~ /a verdict took/g) > $verdicts;
}), 'its program passes');
kill CONT => $spawner;
my $met = $meets->finish;
is($met->{complete}{status}, 'ok', 'and runs') or diag(explain($met));
is($met->{stdout}, "late\n", 'in another one');

# Who has said something by then, and cannot be told to run, does not run; what
# is said is said by one of two sandboxes, not by both.
for (1 .. 5) {
    my $job = run_held('mute', 0, '');
    my $end = $job->{error}{code} // $job->{complete}{status} // 'none';
    like("$end $job->{stdout}", qr/^(?:ok late\n|internal (?:early\n)+)\z/,
        'mute: one of them is heard') or diag(explain($job));
    is($job->{messages}[0]{type}, 'started', 'mute: as ever');
    is(scalar(grep { $_->{type} eq 'started' } @{ $job->{messages} }), 1,
        'mute: once');
}

# What it has used by then is its user's, though another sandbox does the work:
# the second job of who has used more than there is does not begin.
sub statuses {
    my ($order) = @_;
    ok(cloned(), "$order: there are clones");
    my @held = $nginx->hold_validators;
    my @before = $nginx->sandbox_processes;
    my $client = Codr::Client->connect(port => $nginx->port, timeout => 60);
    my $post = sub { $nginx->post('/quota', { language => 'python',
        code => $_[0] }, headers => ["X-User: $order"]) };
    $client->send_request(method => 'POST', path => '/quota',
        headers => [ 'Content-Type: application/json', "X-User: $order" ],
        body => encode_json({ language => 'python',
            code => "# early: $order\nprint('late')\n# quota" }));
    ok(wait_until(4, sub { grep { !-d "/proc/$_" } @before }),
        "$order: it ends");
    kill CONT => @held;
    my $job = $client->answer(60);
    is($job->{json}{stdout}, "late\n", "$order: and is done elsewhere");
    return ($job->{status}, $post->("print('next')\n")->{status});
}

is(join(' ', statuses('end')), '200 200', 'who has used nothing may go on');
is(join(' ', statuses('work')), '200 429', 'who has used a lot may not');

for my $rest ("import os\nos.system('x')\n", '') {
    my $job = run_held('say', 1, $rest);
    is($job->{stdout} // '', $rest ? '' : "early\r\nearly\r\nearly\r\nlate\r\n",
        'the same on a terminal, ' . ($rest ? 'refused' : 'passed'));
}

# To compile much is work that nobody has allowed yet.
sub cpu_s {
    my ($user, $system) = slurp("/proc/$_[0]/stat")
        =~ /\) \S(?: \S+){10} (\d+) (\d+) /;
    return (($user // 0) + ($system // 0)) / 100;
}

my $much = "if 0:\n" . " x = [a, b, (c, d), {e: f}]\n" x 20000
    . "print('end')\n";
my $all = $nginx->post('/off', { language => 'python', code => $much })->{json};
is($all->{stdout}, "end\n", 'a program that is much to compile');
ok(cloned(), 'and others that wait');
my @held = $nginx->hold_validators;
my @before = $nginx->sandbox_processes;
my $client = $nginx->ws;
$client->execute(language => 'python', code => $much, tty => JSON::PP::false,
    stdin => '');
my ($most, $looks) = (0, 0);
until (IO::Select->new($client->{s})->can_read(0.02)) {
    $looks++;
    for (map { cpu_s($_) } @before) {
        $most = $_ if $_ > $most;
    }
}
kill CONT => @held;
is($client->finish->{error}{diagnostics}[0]{rule}, 'policy.unavailable',
    'when there is never a verdict it is refused');
cmp_ok($looks, '>', 10, 'in the end');
cmp_ok($most, '>', 0.05, 'some of it is compiled');
cmp_ok($most, '<', $all->{cpu_time} * 0.7, 'and not all')
    or diag(explain($all));

$nginx->finish(expected => qr/codr: /);
done_testing();
