# What the documents say is true: each piece of configuration in them is one
# that nginx takes, each directive, variable and metric has its line and there
# are no others, programs know the options of their manual pages, which are
# clean; links lead somewhere.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew top);
use Codr::Nginx;
use Test::More;

need(qw(plain module helper));

my $top = top();
chdir $top or die "chdir: $!";
my @documents = ('README.md', 'SECURITY.md', glob('docs/*.md'));

# Pieces of configuration.

my $dir = Codr::Nginx::dir();
spew("$dir/keys", 'me ' . ('ab' x 32) . "\n");
chmod 0600, "$dir/keys";


# Where a piece lies, by what it holds; this machine's paths instead of those
# of an installation.
sub whole {
    my ($text, $n) = @_;
    my $build = build();
    $text = "location /x { codr_exec; codr_auth off; }\n$text"
        if $text !~ /\b(?:location|codr_language)\b/;
    $text = "server {\nlisten 1;\n$text}\n"
        if $text =~ /^\s*location\b/ && $text !~ /\bserver \{/;
    $text = "load_module modules/ngx_http_codr_module.so;\nevents { }\n"
        . "http {\ninclude /etc/codr/languages.conf;\n$text}\n"
        if $text !~ /\bhttp \{/;
    my @temp = map {"${_}_temp_path $dir/$_;"}
        qw(client_body proxy fastcgi uwsgi scgi);
    my $own = join ' ', "codr_helper spawn $build/codr-sandboxd;",
        'access_log off;', @temp;
    for ($text) {
        s|modules/ngx_http_codr_module.so|$build/ngx_http_codr_module.so|;
        s|/etc/codr/languages.conf|$top/conf/languages.conf|;
        s|/usr/share/codr/snippets|$top/conf/snippets|g;
        s|/etc/codr/keys|$dir/keys|g;
        s|listen [^;]*;|listen unix:$dir/$n.sock;|g;
        s|http \{|http { $own|;
    }
    return "pid $dir/$n.pid;\nerror_log stderr;\n$text";
}

my ($n, $nginx) = (0, Codr::Host::nginx());
for my $file (@documents) {
    my $text = slurp($file);
    while ($text =~ /^```nginx\n(.*?)^```$/msg) {
        my $line = 1 + substr($text, 0, $-[1]) =~ tr/\n//;
        spew("$dir/$n.conf", whole($1, $n));
        my $said = `$nginx -t -q -p $dir -c $dir/$n.conf 2>&1`;
        is($?, 0, "$file:$line is a configuration") or diag($said);
        $n++;
    }
}
cmp_ok($n, '>=', 5, 'there are some');

# Directives and variables.

my %directive = map { $_ => 1 }
    slurp('module/ngx_http_codr_module.c') =~ /^[^"]*"(codr_[a-z_]+)"/mg;
my $directives = slurp('docs/directives.md');
my %documented = map { $_ => 1 } $directives =~ /^\| `(codr_\w+)[^|]*\|/mg;
delete $documented{codr_language};
delete $directive{codr_language};
is_deeply([ sort keys %documented ], [ sort keys %directive ],
    'docs/directives.md has a line for each directive');
like($directives, qr/^\| `codr_language NAME/m, 'and for codr_language');

my %variable = map { $_ => 1 } slurp('module/ngx_http_codr_variables.c')
    =~ /ngx_http_codr_(?:own|last)\("(codr_\w+)"/g;
my ($list) = $directives =~ /^## Variables\n(.*?)^## /ms;
is_deeply([ sort keys %{{ map { $_ => 1 } $list =~ /`\$(codr_\w+)`/g }} ],
    [ sort keys %variable ], 'and for each variable');

my %word = map { $_ => 1 } slurp('module/ngx_http_codr_block.c')
    =~ /^    \{ "(\w+)", \d+, ngx_http_codr_language/mg;
my ($block) = $directives =~ /^## codr_language\n(.*?)^## /ms;
my @words = $block =~ /^\| `(\w+) [^|]*\|/mg;
is_deeply([ sort @words ], [ sort keys %word ],
    'a line for each word of a language block');

# Metrics.

my $metrics = slurp('docs/metrics.md');
for my $name (sort keys %{{ map { $_ => 1 }
        slurp('module/ngx_http_codr_prometheus.c')
            =~ /"(codr_[a-z_]+)["{ ]/g }}) {
    like($metrics, qr/`\Q$name\E[{`]/, "docs/metrics.md has $name");
}

# Manual pages.

my %page = ('codr.1' => 'codr', 'codr-sandboxd.8' => 'codr-sandboxd',
    'codr-validator.8' => 'codr-validator');
is_deeply([ map {s{docs/}{}r} glob 'docs/*.[1-9]' ], [ sort keys %page ],
    'pages of the manual');
for my $page (sort keys %page) {
    my $help = do { my $program = build() . "/$page{$page}";
        `$program --help 2>&1` };
    is($?, 0, "$page{$page} --help");
    my $text = slurp("docs/$page") =~ s/\\-/-/gr;
    my @unknown = grep { my $option = $_;
        $text !~ /Fl (?:-|Fl )\Q$option\E\b/ } $help =~ /--([a-z][a-z-]*)/g;
    is("@unknown", '', "$page has all its options");
    SKIP: {
        skip 'no mandoc', 1 if !-x '/usr/bin/mandoc';
        is(scalar `mandoc -Tlint -W warning docs/$page 2>&1`, '',
            "$page is clean");
    }
}

# Links.

for my $file (@documents) {
    my ($base) = $file =~ m{^(.*/)?};
    my $text = slurp($file) =~ s/^```.*?^```$//msgr;
    for my $link ($text =~ /\]\(([^)\s]+)\)/g) {
        next if $link =~ m{^https?://};
        my ($path, $anchor) = split /#/, $link;
        my $target = length $path ? ($base // '') . $path : $file;
        ok(-e $target, "$file leads to $link") or next;
        next if !defined $anchor;
        my @anchors = map { lc($_) =~ s/[^\w\- ]//gr =~ s/ /-/gr }
            slurp($target) =~ /^#+ (.*)$/mg;
        ok(scalar(grep { $_ eq $anchor } @anchors), "and to #$anchor");
    }
}

done_testing();
