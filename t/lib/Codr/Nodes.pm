package Codr::Nodes;

# Two nodes that share a Redis, jobs at the one, and who watches them at the
# other.

use strict;
use warnings;

use Codr::Host qw(spew wait_until);
use Codr::Nginx;
use Codr::Redis;
use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use JSON::PP ();
use Test::More;

our @EXPORT = qw($here $there $redis begin join_job get);
our ($here, $there, $redis);

sub node {
    my $dir = Codr::Nginx::dir();
    spew("$dir/ticket.key", 'x' x 40);
    spew("$dir/keys", join '',
        map { "$_ " . sha256_hex($_) . "\n" } qw(alice bob));
    chmod 0640, "$dir/ticket.key", "$dir/keys";
    return Codr::Nginx->new(dir => $dir, auth => 0, workers => 2,
        http => <<"CONF", server => <<'CONF');
    codr_api_keys $dir/keys;
    codr_ticket_key_file $dir/ticket.key;
    codr_results 1m;
    codr_redis @{[ $redis->address ]};
    codr_language sh { source main.sh; run /bin/sh \$source; timeout 300s; }
CONF
    location /jobs { codr_jobs; }
    location = /much { codr_exec; codr_output 64m; codr_timeout 60s; }
    location = /long { codr_exec; codr_detach 300s; codr_timeout 300s; }
CONF
}

# Starts all of it.
sub start {
    $redis = Codr::Redis->new;
    ($here, $there) = (node(), node());
    ok($_->ready && $_->wait_log(qr/Redis is up/, 30), 'a node is up')
        for $here, $there;
}

my $echo = 'echo ready; while read x; do echo "got $x"; done; echo end';

# A job here: (socket, what "started" said).
sub begin {
    my (%o) = @_;
    my $ws = $here->ws(path => delete $o{path} // '/long',
        headers => ['X-API-Key: alice']);
    $ws->execute(language => 'sh', code => $echo, tty => JSON::PP::false, %o);
    $ws->expect(qr/ready/) or diag('it does not begin');
    my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
    ok(wait_until(30, sub {
        $redis->hash("job:$started->{job_id}")->{view} }), 'it is known')
        if $started;
    return ($ws, $started);
}

# Joins it there.
sub join_job {
    my ($started, $kind, %o) = @_;
    my $node = delete $o{node} // $there;
    my $ws = $node->ws(headers => ['X-API-Key: bob']);
    $ws->execute(type => 'attach', job_id => $started->{job_id},
        "${kind}_token" => $started->{"${kind}_token"}, %o);
    return $ws;
}

sub get {
    my ($node, $path, $key) = @_;
    return $node->get($path, timeout => 60,
        headers => [ 'X-API-Key: ' . ($key // 'alice') ]);
}

1;
