// `Lists.java URL KEY` reads every list that the SDK for Java can read without an argument, to its end, into the SDK's
// typed objects, and the object within each event. It prints how many objects each list had, or what went wrong.

import com.google.gson.Gson;
import com.stripe.StripeClient;
import com.stripe.model.Event;
import com.stripe.model.StripeCollection;
import com.stripe.net.ApiService;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Collections;

public class Lists {
  static final Gson JSON = new Gson();

  static void show(String name, Object came) {
    System.out.println(JSON.toJson(Collections.singletonMap(name, came)));
  }

  static int read(StripeCollection<?> page) throws Exception {
    int count = 0;
    for (Object found : page.autoPagingIterable()) {
      count++;
      if (found instanceof Event event) event.getDataObjectDeserializer().deserializeUnsafe();
    }
    return count;
  }

  static void visit(Object service, String path) throws Exception {
    for (Method method : service.getClass().getMethods()) {
      if (method.getParameterCount() > 0) continue;
      if (ApiService.class.isAssignableFrom(method.getReturnType())) {
        visit(method.invoke(service), path.isEmpty() ? method.getName() : path + "." + method.getName());
      } else if (method.getName().equals("list")) {
        try {
          Object page = method.invoke(service);
          if (page instanceof StripeCollection<?> collection) show(path, read(collection));
        } catch (InvocationTargetException error) {
          show(path, error.getCause().getClass().getSimpleName() + ": " + error.getCause().getMessage());
        } catch (Exception error) {
          show(path, error.getClass().getSimpleName() + ": " + error.getMessage());
        }
      }
    }
  }

  public static void main(String[] words) throws Exception {
    visit(StripeClient.builder().setApiKey(words[1]).setApiBase(words[0]).setMaxNetworkRetries(0).build().v1(), "");
    System.exit(0);
  }
}
