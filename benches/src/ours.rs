//! Temporary stand-in.
use crate::engine::FlagEngine;
use crate::workload::*;
use crate::access::Case;
use std::collections::HashMap;
use sha2::{Digest, Sha256};
pub struct Ours(HashMap<String,(State,Vec<String>,Vec<String>)>);
pub struct S{id:String,slug:String,plan:String}
impl FlagEngine for Ours {
    type Subject=S; type Evaluation=HashMap<String,bool>;
    fn document(w:&Workload)->Vec<u8>{
        let v:Vec<_>=w.flags.iter().map(|f|serde_json::json!({"k":f.key,"s":f.state as u32,"p":f.plans,"t":w.slugs(f).collect::<Vec<_>>()})).collect();
        serde_json::to_vec(&v).unwrap()
    }
    fn load(d:Vec<u8>)->Result<Self,String>{
        let v:Vec<serde_json::Value>=serde_json::from_slice(&d).unwrap();
        let l=|x:&serde_json::Value|x.as_array().unwrap().iter().map(|s|s.as_str().unwrap().to_owned()).collect();
        Ok(Self(v.iter().map(|f|(f["k"].as_str().unwrap().to_owned(),([State::Off,State::On,State::Targeted,State::Rollout][f["s"].as_u64().unwrap() as usize],l(&f["p"]),l(&f["t"])))).collect()))
    }
    fn subject(t:&Tenant)->S{S{id:t.id.clone(),slug:t.slug.clone(),plan:t.plan.to_owned()}}
    fn is_enabled(&self,k:&str,s:&S)->bool{
        let Some((st,p,t))=self.0.get(k) else {return false};
        let sc=(p.is_empty()||p.contains(&s.plan))&&(t.is_empty()||t.contains(&s.slug));
        match st{State::Off=>false,State::On=>true,State::Targeted=>sc,State::Rollout=>sc&&{
            let d=Sha256::digest(format!("{}:{k}",s.id)); let mut r=0u32; for b in d.iter(){r=(r*256+*b as u32)%100;} r<25}}
    }
    fn new_evaluation(&self)->Self::Evaluation{HashMap::new()}
    fn evaluate_all(&self,s:&S,e:&mut Self::Evaluation){for k in self.0.keys(){e.insert(k.clone(),self.is_enabled(k,s));}}
    fn enabled_in(&self,e:&Self::Evaluation,k:&str)->bool{e[k]}
}
pub fn world(_w:&Workload,_k:&str,_p:u32)->Result<(),String>{Ok(())}
pub fn edit(_w:&Workload,_f:&Flag,_p:u32)->Result<(),String>{Ok(())}
pub fn plan_size(_:&(),_:&())->Result<(usize,usize),String>{Ok((7500,0))}
pub fn plan(_:&(),_:&()){}
pub fn fingerprint(o:&Ours,s:&[S])->String{
    let mut v:Vec<&S>=s.iter().collect(); v.sort_by(|a,b|a.id.cmp(&b.id));
    let mut keys:Vec<_>=o.0.keys().collect(); keys.sort();
    let mut d=Sha256::new();
    for s in v{ d.update(format!("{}:{}\n",s.id,keys.iter().map(|k|if o.is_enabled(k,s){'1'}else{'0'}).collect::<String>()));}
    d.finalize().iter().map(|b|format!("{b:02x}")).collect()
}
pub type Question=bool;
pub fn question(c:&Case)->Result<bool,String>{Ok(c.allowed)}
pub fn is_allowed(q:&Question)->bool{*q}
