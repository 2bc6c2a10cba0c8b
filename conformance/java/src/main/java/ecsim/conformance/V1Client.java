package ecsim.conformance;

// README: begin
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;

final class V1Client {
    static DefaultAcsClient create(String endpoint, String accessKeyId, String accessKeySecret) {
        DefaultProfile.addEndpoint("cn-hangzhou", "Ecs", endpoint);
        DefaultProfile profile = DefaultProfile.getProfile("cn-hangzhou", accessKeyId, accessKeySecret);
        profile.getHttpClientConfig().setProtocolType(ProtocolType.HTTP);
        return new DefaultAcsClient(profile);
    }
}
// README: end
