//! The regions, their zones, and the instance types that seeds can name.

/// A region of the vendor's list (ecs-supporting.md 11, documented: ids and endpoints). The local
/// names, the zone letters and most id parts are generally known but stand in no source that we
/// have: inferred.
#[derive(Debug)]
pub struct Region {
    pub id: &'static str,
    pub name_zh: &'static str,
    pub name_en: &'static str,
    /// The three characters that ids made in this region begin with (ecs-instance-ram-role.md 9).
    pub id_part: &'static str,
    zone_letters: &'static str,
}

impl Region {
    /// The region of an id, if the vendor has it.
    pub fn find(id: &str) -> Option<&'static Self> {
        REGIONS.iter().find(|region| region.id == id)
    }

    /// `cn-hangzhou-g`, but `ap-northeast-1a`: after a digit the letter stands alone
    /// (ecs-supporting.md 12; the second form inferred).
    pub fn zone_ids(&self) -> impl Iterator<Item = String> {
        let dash = if self.id.ends_with(|c: char| c.is_ascii_digit()) { "" } else { "-" };
        self.zone_letters.chars().map(move |letter| format!("{}{dash}{letter}", self.id))
    }

    /// The public endpoint of ECS there (ecs-supporting.md 11, documented).
    pub fn ecs_endpoint(&self) -> String {
        match self.id {
            "cn-hangzhou" | "us-west-1" => "ecs-cn-hangzhou.aliyuncs.com".to_owned(),
            "us-east-1" => "ecs.aliyuncs.com".to_owned(),
            id => format!("ecs.{id}.aliyuncs.com"),
        }
    }
}

const fn region(
    id: &'static str,
    id_part: &'static str,
    name_zh: &'static str,
    name_en: &'static str,
    zone_letters: &'static str,
) -> Region {
    Region { id, name_zh, name_en, id_part, zone_letters }
}

/// Every region, by id.
pub static REGIONS: &[Region] = &[
    region("ap-northeast-1", "6we", "日本（东京）", "Japan (Tokyo)", "abc"),
    region("ap-northeast-2", "mj7", "韩国（首尔）", "South Korea (Seoul)", "ab"),
    region("ap-south-1", "a2d", "印度（孟买）", "India (Mumbai)", "ab"),
    region("ap-southeast-1", "t4n", "新加坡", "Singapore", "abc"),
    region("ap-southeast-2", "p0w", "澳大利亚（悉尼）", "Australia (Sydney)", "ab"),
    region("ap-southeast-3", "8ps", "马来西亚（吉隆坡）", "Malaysia (Kuala Lumpur)", "ab"),
    region("ap-southeast-5", "k1a", "印度尼西亚（雅加达）", "Indonesia (Jakarta)", "abc"),
    region("ap-southeast-6", "5ts", "菲律宾（马尼拉）", "Philippines (Manila)", "a"),
    region("ap-southeast-7", "0jo", "泰国（曼谷）", "Thailand (Bangkok)", "a"),
    region("ap-southeast-8", "9ax", "马来西亚（柔佛）", "Malaysia (Johor)", "a"),
    region("cn-beijing", "2ze", "华北2（北京）", "China (Beijing)", "abcdefghijkl"),
    region("cn-beijing-finance-1", "2zf", "华北2 金融云", "China North 2 Finance", "ab"),
    region("cn-chengdu", "2vc", "西南1（成都）", "China (Chengdu)", "ab"),
    region("cn-fuzhou", "gw0", "华东6（福州-本地地域）", "China (Fuzhou - Local Region)", "a"),
    region("cn-guangzhou", "7xv", "华南3（广州）", "China (Guangzhou)", "ab"),
    region("cn-hangzhou", "bp1", "华东1（杭州）", "China (Hangzhou)", "bghijk"),
    region("cn-heyuan", "f8z", "华南2（河源）", "China (Heyuan)", "ab"),
    region("cn-heyuan-acdr-1", "f8a", "河源专属云汽车合规", "China (Heyuan ACDR Auto)", "a"),
    region("cn-hongkong", "j6c", "中国香港", "China (Hong Kong)", "bcd"),
    region("cn-huhehaote", "hp3", "华北5（呼和浩特）", "China (Hohhot)", "ab"),
    region("cn-nanjing", "gc7", "华东5（南京-本地地域）", "China (Nanjing - Local Region)", "a"),
    region("cn-north-2-gov-1", "2zg", "华北2 阿里政务云1", "China North 2 Ali Gov 1", "b"),
    region("cn-qingdao", "m5e", "华北1（青岛）", "China (Qingdao)", "bc"),
    region("cn-shanghai", "uf6", "华东2（上海）", "China (Shanghai)", "abefglmn"),
    region("cn-shanghai-finance-1", "uf7", "华东2 金融云", "China East 2 Finance", "bfgkz"),
    region("cn-shenzhen", "wz9", "华南1（深圳）", "China (Shenzhen)", "acdef"),
    region("cn-shenzhen-finance-1", "wzf", "华南1 金融云", "China South 1 Finance", "de"),
    region("cn-wuhan-lr", "n4a", "华中1（武汉-本地地域）", "China (Wuhan - Local Region)", "a"),
    region("cn-wulanchabu", "0jl", "华北6（乌兰察布）", "China (Ulanqab)", "abc"),
    region("cn-zhangjiakou", "8vb", "华北3（张家口）", "China (Zhangjiakou)", "abc"),
    region("cn-zhengzhou-jva", "n3z", "郑州（联通合营）", "China (Zhengzhou CUCloud)", "a"),
    region("cn-zhongwei", "n3w", "中卫", "China (Zhongwei)", "a"),
    region("eu-central-1", "gw8", "德国（法兰克福）", "Germany (Frankfurt)", "abc"),
    region("eu-west-1", "d7o", "英国（伦敦）", "UK (London)", "ab"),
    region("me-central-1", "l4v", "沙特（利雅得）", "SAU (Riyadh - Partner Region)", "ab"),
    region("me-east-1", "eb3", "阿联酋（迪拜）", "UAE (Dubai)", "a"),
    region("na-south-1", "4hf", "墨西哥", "Mexico", "a"),
    region("us-east-1", "0xi", "美国（弗吉尼亚）", "US (Virginia)", "ab"),
    region("us-southeast-1", "7go", "美国（亚特兰大）", "US (Atlanta)", "a"),
    region("us-west-1", "rj9", "美国（硅谷）", "US (Silicon Valley)", "ab"),
];

/// Virtual CPUs and memory in MiB of the instance types that need no `cpu` and `memory` in a seed
/// (`ecs.g6.large`: ecs-supporting.md 13, documented; the others generally known: inferred).
pub static INSTANCE_TYPES: &[(&str, u32, u32)] = &[
    ("ecs.c6.large", 2, 4096),
    ("ecs.c6.xlarge", 4, 8192),
    ("ecs.c7.large", 2, 4096),
    ("ecs.e-c1m1.large", 2, 2048),
    ("ecs.g5.large", 2, 8192),
    ("ecs.g6.large", 2, 8192),
    ("ecs.g6.xlarge", 4, 16384),
    ("ecs.g7.large", 2, 8192),
    ("ecs.g7.xlarge", 4, 16384),
    ("ecs.r7.large", 2, 16384),
    ("ecs.t5-lc1m1.small", 1, 1024),
    ("ecs.t6-c1m1.large", 2, 2048),
];

/// Virtual CPUs and memory (MiB) of an instance type that we know.
pub fn instance_type(name: &str) -> Option<(u32, u32)> {
    INSTANCE_TYPES.iter().find(|row| row.0 == name).map(|&(_, cpu, memory)| (cpu, memory))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn regions_are_sorted_and_their_id_parts_are_distinct() {
        assert!(REGIONS.is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(REGIONS.iter().map(|r| r.id_part).collect::<BTreeSet<_>>().len(), REGIONS.len());
        assert!(REGIONS.iter().all(|r| r.id_part.len() == 3));
    }

    #[test]
    fn zones_follow_the_two_forms_of_zone_ids() {
        let zones = |id| Region::find(id).expect("a region").zone_ids().collect::<Vec<_>>();
        assert!(zones("cn-hangzhou").contains(&"cn-hangzhou-g".to_owned()));
        assert_eq!(zones("ap-northeast-1"), ["ap-northeast-1a", "ap-northeast-1b", "ap-northeast-1c"]);
    }
}
