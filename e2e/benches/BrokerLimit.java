// The broker's own limit by RabbitMQ's own client: persistent messages of a task's size through a quorum queue,
// published with confirms and acknowledged one by one, published and consumed at the same time.
import com.rabbitmq.client.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class BrokerLimit {
    public static void main(String[] args) throws Exception {
        int messages = Integer.parseInt(args[1]);
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(args[0]);
        Connection connection = factory.newConnection();
        Channel out = connection.createChannel(), in = connection.createChannel();
        String queue = "broker-limit-" + UUID.randomUUID();
        out.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
        out.confirmSelect();
        byte[] body = new byte[350];
        AtomicInteger received = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(messages);
        in.basicQos(256);
        long begun = System.nanoTime();
        in.basicConsume(queue, false, (tag, delivery) -> {
            in.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
            done.countDown();
        }, tag -> {});
        for (int i = 0; i < messages; i++) {
            out.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, body);
            if (i % 256 == 255) out.waitForConfirmsOrDie();
        }
        out.waitForConfirmsOrDie();
        double published = (System.nanoTime() - begun) / 1e9;
        done.await();
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf("%d messages: published and confirmed %.0f/s, through %.0f/s%n", messages, messages / published, messages / seconds);
        out.queueDelete(queue);
        connection.close();
    }
}
