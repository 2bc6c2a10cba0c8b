package ecsim.conformance;

import java.util.List;
import java.util.Objects;

/** Runs named checks, prints one line for each and remembers whether all of them passed. */
final class Checks {
    // The emulator's default data.
    static final String ACCOUNT = "1000000000000001";
    static final String REGION = "cn-hangzhou";
    static final String ACCESS_KEY_ID = "test";
    static final String SECRET = "test";
    static final String WRONG_SECRET = "not-the-secret";
    static final String ROLE = "web-role";
    static final String WEB_INSTANCE = "i-bp1ecsim0000000web01"; // has web-role
    static final String PLAIN_INSTANCE = "i-bp1ecsim00000plain01"; // in a VPC, has no role
    static final String CLASSIC_INSTANCE = "i-bp1ecsim0classic0001"; // classic network: cannot have a role
    static final String UNKNOWN_INSTANCE = "i-bp1doesnotexist000001";

    /** The instances of REGION in the order in which they are returned. */
    static final List<String> INSTANCES = List.of(
            "i-bp1ecsim0000000web01",
            "i-bp1ecsim0000000web02",
            "i-bp1ecsim0000batch001",
            "i-bp1ecsim00000plain01",
            "i-bp1ecsim0classic0001");

    /** Every kind of character that clients encode differently. */
    static final String SPECIAL_NAME = "Zürich 北京 +*~%20&=/'()!";

    private static final String REQUEST_ID = "[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}";

    private static boolean failed = false;

    private final String family;
    private final String mode;

    /** Checks of one client (family, such as java-v1) used in one way (mode). */
    Checks(String family, String mode) {
        this.family = family;
        this.mode = mode;
    }

    interface Body {
        void run() throws Exception;
    }

    /** What is thrown where a value is not the one that is wanted. */
    static final class Mismatch extends Exception {
        Mismatch(String why) {
            super(why);
        }
    }

    /** The host:port of the emulator. */
    static String endpoint() {
        String endpoint = System.getenv("ECSIM_ENDPOINT");
        if (endpoint == null || endpoint.isEmpty()) {
            System.err.println(
                    "ECSIM_ENDPOINT is not set; it holds the emulator's host:port, such as 127.0.0.1:4580");
            System.exit(2);
        }
        return endpoint;
    }

    /** The host that error answers name: the endpoint without its port. */
    static String hostId() {
        return endpoint().split(":")[0];
    }

    /** The troubleshooting link of a product's error. */
    static String recommend(String product, String code, String requestId) {
        return "https://api.aliyun.com/troubleshoot?q=" + code + "&product=" + product + "&requestId=" + requestId;
    }

    void check(String what, Body body) {
        try {
            body.run();
            System.out.println("ok " + family + "/" + mode + ": " + what);
        } catch (Throwable e) {
            failed = true;
            String why = e instanceof Mismatch ? e.getMessage() : e.toString();
            System.out.println("not ok " + family + "/" + mode + ": " + what + ": "
                    + why.strip().replaceAll("\\s+", " "));
        }
    }

    /** Ends the program, also where an SDK left threads running: 0 if every check passed, else 1. */
    static void exit() {
        System.out.flush();
        System.exit(failed ? 1 : 0);
    }

    static void equal(String name, Object got, Object want) throws Mismatch {
        if (!Objects.equals(got, want)) {
            throw new Mismatch(name + " is <" + got + ">, want <" + want + ">");
        }
    }

    static void contains(String name, List<String> got, String want) throws Mismatch {
        if (!got.contains(want)) {
            throw new Mismatch(name + " lacks <" + want + ">, it is " + got);
        }
    }

    static void startsWith(String name, String got, String want) throws Mismatch {
        if (got == null || !got.startsWith(want)) {
            throw new Mismatch(name + " is <" + got + ">, want it to begin with <" + want + ">");
        }
    }

    /** Compares the whole of a text with a regular expression. */
    static void matches(String name, String got, String pattern) throws Mismatch {
        if (got == null || !got.matches(pattern)) {
            throw new Mismatch(name + " is <" + got + ">, want it to match " + pattern);
        }
    }

    /** Wants an upper-case UUID. */
    static void requestId(String got) throws Mismatch {
        matches("RequestId", got, REQUEST_ID);
    }

    /** Makes a call that is to fail and returns what it threw. */
    static <E extends Exception> E failure(Class<E> type, Body call) throws Exception {
        try {
            call.run();
        } catch (Exception e) {
            if (type.isInstance(e)) {
                return type.cast(e);
            }
            throw e;
        }
        throw new Mismatch("the call succeeded, want " + type.getSimpleName());
    }

    /** Writes instance ids the way the InstanceIds parameter wants them. */
    static String list(String... ids) {
        return "[\"" + String.join("\",\"", ids) + "\"]";
    }
}
