import java.io.File;
import java.io.FileInputStream;
import java.util.List;
import java.util.Set;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger;

/** Prints what classes refer to and a list of signatures lacks: `ApiCheck SIGNATURES FOLDER…`. For `cargo xtask android-check`. */
class ApiCheck {
    public static void main(String[] arguments) throws Exception {
        var others = Set.of("chamada.*", "kotlin.*", "kotlinx.*", "androidx.*", "com.sun.jna.*");
        for (var folder : List.of(arguments).subList(1, arguments.length)) {
            var checker = new SignatureChecker(new FileInputStream(arguments[0]), others, new PrintWriterLogger(System.out));
            checker.setSourcePath(List.of());
            checker.process(new File(folder));
        }
    }
}
