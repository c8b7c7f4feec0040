# Jobs whose worker or client is gone: their ends come into their records, into
# Redis, the counters and the log of jobs, once, and nobody has to ask for them.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use Codr::Redis;
use Digest::SHA qw(hmac_sha256 sha256_hex);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Test::More;

need(qw(module helper /usr/bin/redis-server));

my $secret = 'x' x 40;
my $dir = Codr::Nginx::dir();
my $redis = Codr::Redis->new;

spew("$dir/ticket.key", $secret);
spew("$dir/keys", 'alice ' . sha256_hex('alice') . "\n");
chmod 0640, "$dir/ticket.key", "$dir/keys";

my $nginx = Codr::Nginx->new(dir => $dir, workers => 2, auth => 0,
    languages => 0, http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_ticket_key_file $dir/ticket.key;
    codr_redis @{[ $redis->address ]};
    log_format jobs '\$codr_job_id \$codr_status \$codr_owner';
    codr_job_log $dir/jobs.log jobs;
    codr_language sh { source main.sh; run /bin/sh \$source; timeout 300s; }
CONF
    location /jobs { codr_jobs; }
    location = /long { codr_exec; codr_detach 300s; }
    location = /counters { codr_status json; }
    location = /metrics { codr_status prometheus; }
CONF
ok($nginx->ready && $nginx->wait_log(qr/Redis is up/, 30), 'all is up');

my $ends = $redis->client;
$ends->ask('PSUBSCRIBE', 'job:*:complete');
my %said;

sub started {
    my ($code, %o) = @_;
    my $ws = $nginx->ws(path => '/long', headers => ['X-API-Key: alice']);
    $ws->execute(language => 'sh', code => $code, %o);
    return ($ws, $ws->wait_for('started')->{job_id});
}

sub detached {
    my ($code) = @_;
    my ($ws, $id) = started("echo one; $code", detach => JSON::PP::true);
    $ws->expect(qr/one/);
    $ws->drop;
    return $id;
}

sub async {
    my ($code) = @_;
    return $nginx->post('/jobs', { language => 'sh',
        code => "echo one; $code" }, headers => ['X-API-Key: alice'])
        ->{json}{job_id};
}

# As another node would: nobody waits for an answer.
sub stop {
    my ($id) = @_;
    my $text = join '.', map { encode_base64url(Codr::Client::encode($_)) }
        { alg => 'HS256', typ => 'JWT' },
        { control => 'stop', job_id => $id, exp => time + 30 };
    $redis->ask('PUBLISH', "job:$id:control",
        "$text." . encode_base64url(hmac_sha256($text, $secret)));
}

sub hash { return $redis->hash("job:$_[0]") }

# Its program does: one that has only been announced may begin once more.
sub runs {
    my ($id) = @_;
    return ok(wait_until(30, sub {
        (hash($id)->{status} // '') eq 'processing'
            && $nginx->get("/jobs/$id/output", headers => ['X-API-Key: alice'])
                ->{body} =~ /one/ }), 'it runs');
}

# What is published until a job that ends now has been heard of.
sub collect {
    my $last = $nginx->post('/run', { language => 'sh', code => ':' },
        headers => ['X-API-Key: alice'])->{json}{job_id};
    while (!$said{$last}) {
        my $message = $ends->reply(30) // last;
        my ($id) = $message->[2] =~ /^job:(\w+):complete$/ or next;
        $said{$id}++;
    }
    return $said{$last};
}

sub lines { return scalar(() = slurp("$dir/jobs.log") =~ /^$_[0] /mg) }

# All that is known of a job says the same.
sub ended {
    my ($what, $id, $status, $inner) = @_;
    ok(wait_until(30, sub {
        (hash($id)->{status} // '') eq $status }), "$what: $status in Redis")
        or diag(explain(hash($id)));
    my $hash = hash($id);
    my $field = $status eq 'failed' ? 'error' : 'result';
    my $said = Codr::Client::decode($hash->{$field} // '{}');
    is($said->{$field eq 'error' ? 'code' : 'status'}, $inner, $inner);
    like($hash->{completed_at} // '', qr/^\d{4}-/, 'when it ended');
    ok(wait_until(10, sub { lines($id) == 1 }), 'one line in the log');
    return $said;
}

sub books {
    my $b = $nginx->get('/counters')->{json}{records};
    return $b->{unfinished} == 0
        && $b->{accepted} == $b->{finished} + $b->{failed} + $b->{stopped}
        ? $b : undef;
}

# What codr_jobs_total has counted, all together.
sub counted {
    my $sum = 0;
    $sum += $_ for $nginx->get('/metrics')->{body}
        =~ /^codr_jobs_total\{[^}]*\} (\d+)$/mg;
    return $sum;
}


subtest 'a client that is gone' => sub {
    my $id = detached('sleep 300');
    runs($id);
    stop($id);
    is(ended('detached', $id, completed => 'stopped')->{stdout}, "one\r\n",
        'with its output');
    $id = detached('sleep 1; echo two');
    is(ended('by itself', $id, completed => 'ok')->{stdout},
        "one\r\ntwo\r\n",
        'with its output');
};

my @mine;

subtest 'a worker that is killed' => sub {
    my @detached = map { detached('sleep 300') } 1 .. 4;
    my @async = map { async('sleep 300') } 1 .. 4;
    my $natural = async('sleep 4; echo end');
    my @sockets = map { [ started('sleep 300') ] } 1 .. 4;
    runs($_) for @detached, @async;
    my @old = $nginx->workers;
    $nginx->signal(KILL => $_) for @old;
    ended('one of a socket', $_->[1], failed => 'internal') for @sockets;
    ok(wait_until(30, sub { 2 == (() = $nginx->workers) }), 'others come');
    ok($nginx->ready, 'and serve');
    is(hash($_)->{status}, 'processing', 'what needs none goes on')
        for $detached[0], $async[0];
    stop($_) for @detached, @async;
    ended('afterwards', $_, completed => 'stopped') for @detached, @async;
    is(ended('by itself', $natural, completed => 'ok')->{stdout}, "one\nend\n",
        'with its output');
    push @mine, @detached, @async, $natural, map { $_->[1] } @sockets;
};

subtest 'a reload' => sub {
    my @ids = (detached('sleep 300'), async('sleep 300'), async('sleep 3'));
    runs($_) for @ids;
    my %old = map { $_ => 1 } $nginx->workers;
    ok($nginx->reload, 'reloads');
    ok(wait_until(30, sub { !grep { $old{$_} } $nginx->workers }),
        'no old worker waits');
    ok($nginx->ready, 'new ones serve');
    stop($_) for @ids[0, 1];
    ended('stopped', $_, completed => 'stopped') for @ids[0, 1];
    ended('by itself', $ids[2], completed => 'ok');
    push @mine, @ids;
};

# The pid of one of the helper's processes.
sub role {
    my ($name) = @_;
    my $helpers = $nginx->helpers;
    return grep { $helpers->{$_} eq $name } keys %{$helpers};
}

# A broker that sees its sandboxes end says so.  Without a supervisor all leave
# at once: it may have seen that, or not.
my %END = (broker => 'failed', spawner => 'completed');

sub which {
    my ($id) = @_;
    my $status = '';
    wait_until(30, sub {
        ($status = hash($id)->{status} // '') =~ /^(?:failed|completed)$/ });
    return $status;
}

subtest 'a helper that is killed' => sub {
    for my $role (qw(broker supervisor spawner)) {
        my @ids = (detached('sleep 300'), async('sleep 300'));
        runs($_) for @ids;
        $nginx->reload if $role eq 'broker';
        $nginx->signal(KILL => $_) for role($role);
        ended($role, $_, $END{$role} // which($_), 'internal') for @ids;
        ok($nginx->ready(30), 'it is back');
        push @mine, @ids;
    }
};

subtest 'a worker that hears nothing' => sub {
    my $id = detached('sleep 300');
    runs($id);
    my @workers = $nginx->workers;
    $nginx->signal(STOP => $_) for @workers;
    $redis->ask('PUBLISH', 'x', 'y');
    stop($id);
    $nginx->signal(KILL => $_) for @workers;
    ok(wait_until(30, sub { 2 == (() = $nginx->workers) }), 'others come');
    ok($nginx->ready, 'and serve');
    stop($id);
    ended('its end', $id, completed => 'stopped');
    push @mine, $id;
};

ok(wait_until(30, \&books), 'everything is accounted for');
ok(collect(), 'all was published');
is(join(' ', map { $said{$_} // 0 } @mine), join(' ', map {1} @mine),
    'and each end once');
my $books = books();
is(counted(), $books->{accepted}, 'as many have been counted')
    or diag(explain($books));

$nginx->finish(expected => qr/(?:exited on|ended with) signal 9/);

done_testing();
