import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jetbrains.kotlin.abi.tools.AbiFilters;
import org.jetbrains.kotlin.abi.tools.AbiTools;

/** Prints the public binary interface of the classes in a folder, without what UniFFI and Compose generate for themselves. */
class PrintApi {
    private static final Set<String> OWN = Set.of(
            "chamada.FfiConverter*", "chamada.Uniffi*", "chamada.*ErrorHandler", "chamada.ui.ComposableSingletons*");

    public static void main(String[] folders) throws Exception {
        List<File> classes;
        try (var files = Files.walk(Path.of(folders[0]))) {
            classes = files.filter(it -> it.toString().endsWith(".class")).sorted().map(Path::toFile).toList();
        }
        var printed = new StringBuilder();
        var filters = new AbiFilters(Set.of(), OWN, Set.of(), Set.of());
        AbiTools.Companion.getInstance(PrintApi.class.getClassLoader()).printJvmDump(printed, classes, filters);
        System.out.println(printed.toString().strip());
    }
}
