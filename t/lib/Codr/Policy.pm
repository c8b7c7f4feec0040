package Codr::Policy;

# The policies as tests use them: blocks of source out of a text file, and
# what codr-validator says about many sources in one call.
#
# A block begins with a line
#
#     === pass|fail [light|standard|strict] [RULE]: [words]
#
# and is everything up to the next one.  What stands before the first is for
# readers.

use strict;
use warnings;

use Codr::Host qw(build slurp spew top);
use Exporter qw(import);
use File::Temp ();
use JSON::PP ();

our @EXPORT_OK = qw(blocks lint lint_blocks policies);

my $DIR = top() . '/validators';

# A source of this many at once: the arguments of a call are bounded.
my $AT_ONCE = 1000;

# The blocks of a file: {verdict, level, rule, name, text, line}.
sub blocks {
    my ($path) = @_;
    my (@blocks, $line);
    for my $text (split /^/, slurp($path)) {
        $line++;
        if ($text =~ /^===\s/) {
            my ($verdict, $level, $rule, $name) = $text =~
                /^===\ (pass|fail)(?:\ (light|standard|strict))?
                (?:\ ([\w.]+))?(?::\s*(.*?))?\s*$/x
                or die "$path:$line: no head of a block\n";
            push @blocks, { verdict => $verdict, text => '', line => $line,
                level => $level // 'standard', rule => $rule,
                name => $name || "line $line" };
        } elsif (@blocks) {
            $blocks[-1]{text} .= $text;
        }
    }
    return @blocks;
}

# What is found in the files, by path: {verdict, rules: [...], said: [...]}.
sub lint {
    my ($language, $level, @files) = @_;
    my %found;
    while (my @some = splice @files, 0, $AT_ONCE) {
        open my $out, '-|', build() . '/codr-validator', '--lint', '--json',
            '--policies', $DIR, '--language', $language, '--level', $level,
            @some or die "codr-validator: $!";
        while (my $line = <$out>) {
            my $said = JSON::PP::decode_json($line);
            my @diagnostics = @{ $said->{diagnostics} // [] };
            $found{ $said->{file} } = { verdict => $said->{verdict},
                rules => [ map { $_->{rule} } @diagnostics ],
                said  => \@diagnostics };
        }
        close $out;
    }
    return \%found;
}

# Adds what is found in each block to it, as lint() says it: found.
sub lint_blocks {
    my ($language, @blocks) = @_;
    my $dir = File::Temp->newdir;
    my %level;
    for my $i (0 .. $#blocks) {
        my $path = sprintf '%s/%04d', $dir, $i;
        spew($path, $blocks[$i]{text});
        push @{ $level{ $blocks[$i]{level} } }, [ $path, $blocks[$i] ];
    }
    for my $name (keys %level) {
        my $found = lint($language, $name, map { $_->[0] } @{ $level{$name} });
        $_->[1]{found} = $found->{ $_->[0] } // { verdict => 'nothing',
            rules => [] } for @{ $level{$name} };
    }
    return @blocks;
}

# The languages that have policies.
sub policies {
    return map {m{([^/]+)/bindings\.scm$}} sort glob "$DIR/*/bindings.scm";
}

1;
