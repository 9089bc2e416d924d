// `AcquirerHost.java PORT`: a host of jPOS (ISO87APackager, two bytes of length) that answers by amount and by DE 90.
//
// An amount of 51.00 is declined (51); one of 99.00 is done, and never answered. Reversals undo what they name, or do not
// find it (25). Every message that arrives is printed: type, DE 3, DE 4, DE 11, DE 39, DE 70, DE 90.

import java.util.HashMap;
import java.util.Map;
import org.jpos.iso.ISOMsg;
import org.jpos.iso.ISORequestListener;
import org.jpos.iso.ISOServer;
import org.jpos.iso.ISOSource;
import org.jpos.iso.channel.PostChannel;
import org.jpos.iso.packager.ISO87APackager;
import org.jpos.util.ThreadPool;

public class AcquirerHost implements ISORequestListener {
  final Map<String, String> done = new HashMap<>();
  int approvals = 0;

  public synchronized boolean process(ISOSource source, ISOMsg message) {
    try {
      StringBuilder line = new StringBuilder(message.getMTI());
      for (int field : new int[] {3, 4, 11, 39, 70, 90}) {
        line.append(' ').append(message.hasField(field) ? message.getString(field) : "-");
      }
      System.out.println(line);
      String amount = message.hasField(4) ? message.getString(4) : "";
      String code = answer(message, amount);
      if (amount.endsWith("9900") && !message.getMTI().startsWith("04")) return true;
      ISOMsg answer = (ISOMsg) message.clone();
      answer.setResponseMTI();
      answer.unset(2);
      answer.set(39, code);
      if (code.equals("00") && (message.getMTI().equals("0100") || message.getMTI().equals("0200"))) {
        answer.set(38, String.format("%06d", ++approvals));
      }
      source.send(answer);
    } catch (Exception error) {
      error.printStackTrace();
    }
    return true;
  }

  String answer(ISOMsg message, String amount) throws Exception {
    String kind = message.getMTI().substring(0, 3);
    if (kind.equals("080")) return "00";
    if (amount.endsWith("5100")) return "51";
    if (kind.equals("010") || kind.equals("020")) {
      done.put(message.getMTI() + message.getString(11) + message.getString(7), amount);
      return "00";
    }
    String original = message.getString(90).substring(0, 20);
    if (kind.equals("040") || kind.equals("042")) return done.remove(original) != null ? "00" : "25";
    return done.containsKey(original) ? "00" : "12";
  }

  public static void main(String[] words) throws Exception {
    PostChannel channel = new PostChannel(new ISO87APackager());
    ISOServer server = new ISOServer(Integer.parseInt(words[0]), channel, new ThreadPool(5, 20));
    server.addISORequestListener(new AcquirerHost());
    new Thread(server).start();
    System.out.println("ready");
  }
}
