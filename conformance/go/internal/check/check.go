// Package check runs named checks, prints one line for each on stdout and
// remembers whether all of them passed.
package check

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Instances and roles of the emulator's default data.
const (
	Account     = "1000000000000001"
	Region      = "cn-hangzhou"
	AccessKeyID = "test"
	Secret      = "test"
	WrongSecret = "not-the-secret"

	Role = "web-role"

	WebInstance     = "i-bp1ecsim0000000web01" // has web-role
	PlainInstance   = "i-bp1ecsim00000plain01" // in a VPC, has no role
	ClassicInstance = "i-bp1ecsim0classic0001" // classic network: cannot have a role
	UnknownInstance = "i-bp1doesnotexist000001"

	// SpecialName has every kind of character that clients encode differently.
	SpecialName = "Zürich 北京 +*~%20&=/'()!"
)

// Instances lists the instances of Region in the order in which they are returned.
var Instances = []string{
	"i-bp1ecsim0000000web01",
	"i-bp1ecsim0000000web02",
	"i-bp1ecsim0000batch001",
	"i-bp1ecsim00000plain01",
	"i-bp1ecsim0classic0001",
}

// Endpoint is the host:port of the emulator, taken from ECSIM_ENDPOINT.
func Endpoint() string {
	endpoint := os.Getenv("ECSIM_ENDPOINT")
	if endpoint == "" {
		fmt.Fprintln(os.Stderr, "ECSIM_ENDPOINT is not set; it holds the emulator's host:port, such as 127.0.0.1:4580")
		os.Exit(2)
	}
	return endpoint
}

// HostID is the host that error answers name: the endpoint without its port.
func HostID() string {
	host, _, _ := strings.Cut(Endpoint(), ":")
	return host
}

// Recommend is the troubleshooting link of a product's error.
func Recommend(product, code, requestID string) string {
	return "https://api.aliyun.com/troubleshoot?q=" + code + "&product=" + product + "&requestId=" + requestID
}

var failed bool

// Runner prints the results of one client in one mode.
type Runner struct {
	Family string // the client, such as go-v1
	Mode   string // how it is used, such as post
}

// Check runs f and prints its result. A panic inside the SDK is a failure too.
func (r Runner) Check(what string, f func() error) {
	err := protect(f)
	if err == nil {
		fmt.Printf("ok %s/%s: %s\n", r.Family, r.Mode, what)
		return
	}
	failed = true
	why := strings.Join(strings.Fields(err.Error()), " ")
	fmt.Printf("not ok %s/%s: %s: %s\n", r.Family, r.Mode, what, why)
}

func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// Exit ends the program: 0 if every check passed, else 1.
func Exit() {
	if failed {
		os.Exit(1)
	}
	os.Exit(0)
}

// All joins the failures among errs; nil if there are none.
func All(errs ...error) error {
	return errors.Join(errs...)
}

// Equal compares a value with the one that is wanted.
func Equal[T comparable](name string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %#v, want %#v;", name, got, want)
	}
	return nil
}

// EqualList compares a list with the one that is wanted, order included.
func EqualList(name string, got, want []string) error {
	if !slices.Equal(got, want) {
		return fmt.Errorf("%s is %q, want %q;", name, got, want)
	}
	return nil
}

// True wants a condition to hold.
func True(condition string, holds bool) error {
	if !holds {
		return fmt.Errorf("not so: %s;", condition)
	}
	return nil
}

// Contains looks for each of the wanted values in a list.
func Contains(name string, got []string, want ...string) error {
	for _, w := range want {
		if !slices.Contains(got, w) {
			return fmt.Errorf("%s lacks %q, it is %q;", name, w, got)
		}
	}
	return nil
}

// HasPrefix compares the beginning of a text.
func HasPrefix(name, got, want string) error {
	if !strings.HasPrefix(got, want) {
		return fmt.Errorf("%s is %q, want it to begin with %q;", name, got, want)
	}
	return nil
}

// Matches compares the whole of a text with a regular expression.
func Matches(name, got, pattern string) error {
	if !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(got) {
		return fmt.Errorf("%s is %q, want it to match %s;", name, got, pattern)
	}
	return nil
}

var requestID = regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$`)

// RequestID wants an upper-case UUID.
func RequestID(id string) error {
	if !requestID.MatchString(id) {
		return fmt.Errorf("RequestId is %q, want an upper-case UUID;", id)
	}
	return nil
}
